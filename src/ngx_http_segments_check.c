
/*
 * What cannot work in a guarded location.
 */


#include "ngx_http_segments_limit.h"
#include "ngx_http_segments_metrics.h"


/* milliseconds by which Redis ends a WAIT late: with its next tick, of which
   there are ten a second by default */
#define NGX_HTTP_SEGMENTS_REDIS_TICK  100


#define ngx_http_segments_refuse_conf(cf, ...)                                \
    (ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, __VA_ARGS__), NGX_ERROR)


static ngx_int_t ngx_http_segments_check_layout(ngx_conf_t *cf);
static ngx_command_t *ngx_http_segments_proxy_command(const char *name);
static ngx_int_t ngx_http_segments_check_secret(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_tenant(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_idempotency(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_proxy(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_proxy_headers(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf);
static ngx_int_t ngx_http_segments_check_upstream(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_uint_t ngx_http_segments_local_upstream(
    ngx_http_upstream_srv_conf_t *uscf);
static ngx_uint_t ngx_http_segments_local_addr(struct sockaddr *sa);
static ngx_uint_t ngx_http_segments_local_url(ngx_http_request_t *r,
    ngx_url_t *u);


ngx_int_t
ngx_http_segments_check(ngx_conf_t *cf, ngx_http_segments_loc_conf_t *slcf)
{
    if (ngx_http_segments_check_layout(cf) != NGX_OK
        || ngx_http_segments_check_secret(cf, slcf) != NGX_OK
        || ngx_http_segments_check_idempotency(cf, slcf) != NGX_OK
        || ngx_http_segments_check_limits(cf, slcf) != NGX_OK
        || ngx_http_segments_check_proxy(cf, slcf) != NGX_OK
        || ngx_http_segments_check_proxy_headers(cf, slcf->plcf) != NGX_OK
        || ngx_http_segments_check_upstream(cf, slcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* whether the proxy module is laid out as this module was built to believe */

static ngx_int_t
ngx_http_segments_check_layout(ngx_conf_t *cf)
{
    ngx_uint_t      i;
    ngx_command_t  *cmd;

    static const struct {
        const char  *name;
        ngx_uint_t   offset;
    } fields[] = {
        { "proxy_set_body",
          offsetof(ngx_http_proxy_loc_conf_t, body_source) },
        { "proxy_set_header",
          offsetof(ngx_http_proxy_loc_conf_t, headers_source) },
        { "proxy_method",
          offsetof(ngx_http_proxy_loc_conf_t, method) },
        { "proxy_http_version",
          offsetof(ngx_http_proxy_loc_conf_t, http_version) }
    };

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        cmd = ngx_http_segments_proxy_command(fields[i].name);

        if (cmd == NULL || cmd->offset != fields[i].offset) {
            return ngx_http_segments_refuse_conf(cf,
                       "segments_gateway was built for another proxy module: "
                       "build it against this nginx");
        }
    }

    return NGX_OK;
}


static ngx_command_t *
ngx_http_segments_proxy_command(const char *name)
{
    ngx_command_t  *cmd;

    for (cmd = ngx_http_proxy_module.commands; cmd->name.len; cmd++) {
        if (ngx_strcmp(cmd->name.data, name) == 0) {
            return cmd;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_segments_check_secret(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_segments_main_conf_t  *smcf;

    if (slcf->secret_file.len == 0) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_gateway\" needs \"segments_secret_key_file\": "
                   "a file with the project's Secret Key");
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    slcf->secret = ngx_http_segments_secret(cf, smcf, &slcf->secret_file);

    if (slcf->secret == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_segments_check_tenant(cf, smcf, slcf);
}


/* two projects must not share records: their names carry no project */

static ngx_int_t
ngx_http_segments_check_tenant(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf)
{
    ngx_uint_t                    i;
    ngx_http_segments_tenant_t   *tenant, **tenantp;

    if (slcf->redis == NULL) {
        return NGX_OK;
    }

    tenantp = smcf->tenants.elts;

    for (i = 0; i < smcf->tenants.nelts; i++) {

        tenant = tenantp[i];

        if (!ngx_redis_same(tenant->redis, slcf->redis)
            || tenant->secret->environment != slcf->secret->environment
            || tenant->prefix.len != slcf->redis_prefix.len
            || ngx_strncmp(tenant->prefix.data, slcf->redis_prefix.data,
                           slcf->redis_prefix.len)
               != 0)
        {
            continue;
        }

        if (tenant->secret != slcf->secret) {
            return ngx_http_segments_refuse_conf(cf,
                       "key files \"%V\" and \"%V\" are of one environment "
                       "and would share records on one Redis: give each "
                       "its own \"segments_redis_prefix\"",
                       &tenant->secret->path, &slcf->secret->path);
        }

        slcf->tenant = tenant;

        return NGX_OK;
    }

    tenant = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_tenant_t));
    tenantp = ngx_array_push(&smcf->tenants);
    if (tenant == NULL || tenantp == NULL) {
        return NGX_ERROR;
    }

    *tenantp = tenant;
    slcf->tenant = tenant;

    tenant->redis = slcf->redis;
    tenant->prefix = slcf->redis_prefix;
    tenant->secret = slcf->secret;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_idempotency(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (slcf->idempotency == NGX_HTTP_SEGMENTS_OFF
        || !(slcf->operations & SG_OP(sg_op_create)))
    {
        return NGX_OK;
    }

    if (slcf->redis == NULL) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency\" needs \"segments_redis\": "
                   "name a Redis, or turn idempotency off");
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (slcf->redis_timeout >= clcf->send_timeout) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_redis_timeout\" must be below "
                   "\"send_timeout\": an answer is held for Redis so long");
    }

    /* the last quarter is for the claim itself, and for the way */

    if (slcf->redis_wait_replicas
        && slcf->redis_wait_timeout + NGX_HTTP_SEGMENTS_REDIS_TICK
           > slcf->redis_timeout - (slcf->redis_timeout + 3) / 4)
    {
        return ngx_http_segments_refuse_conf(cf,
                   "the timeout of \"segments_redis_wait\" and 100ms, by "
                   "which Redis may end it late, must be at most three "
                   "quarters of \"segments_redis_timeout\"");
    }

    if (slcf->lease / 3 < slcf->redis_timeout) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_lease\" is too short to be "
                   "renewed: make it at least three times "
                   "\"segments_redis_timeout\"");
    }

    if (slcf->lease > slcf->ttl) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_lease\" must not be longer than "
                   "\"segments_idempotency_ttl\"");
    }

    if (slcf->upstream_key == NGX_HTTP_SEGMENTS_KEY_OFF
        && slcf->unknown != NGX_HTTP_SEGMENTS_HOLD)
    {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_upstream_key off\" needs "
                   "\"segments_idempotency_unknown hold\": without a key "
                   "upstream, a retry would create a second segment");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_proxy(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_upstream_conf_t   *u;
    ngx_http_proxy_loc_conf_t  *plcf;

    plcf = slcf->plcf;
    u = &plcf->upstream;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (u->upstream == NULL && plcf->proxy_lengths == NULL) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_gateway\" needs \"proxy_pass\" in its location");
    }

    if (clcf->handler == ngx_http_segments_metrics_handler) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_metrics\" cannot be used in a guarded location");
    }

    if (plcf->vars.uri.len) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_pass\" must not have a URI in a guarded location: "
                   "the gateway makes the path, remove \"%V\"",
                   &plcf->vars.uri);
    }

    if (!u->pass_request_headers) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_pass_request_headers off\" in a guarded location "
                   "would hold back the Secret Key");
    }

    if (!u->pass_request_body || plcf->body_source.data) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"%s\" in a guarded location would forward another body "
                   "than the one that was validated",
                   plcf->body_source.data ? "proxy_set_body"
                                          : "proxy_pass_request_body off");
    }

    if (plcf->method) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_method\" in a guarded location would forward "
                   "another method than the one that was validated");
    }

#if (NGX_HTTP_CACHE)
    if (u->cache) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_cache\" cannot be used in a guarded location");
    }
#endif

    if (u->store) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_store\" cannot be used in a guarded location");
    }

    if (u->intercept_errors) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_intercept_errors on\" in a guarded location would "
                   "act on an answer before it is recorded");
    }

    if (u->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_next_upstream non_idempotent\" in a guarded "
                   "location could create a segment twice");
    }

    if (clcf->post_action.data) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"post_action\" cannot be used in a guarded location");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_proxy_headers(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf)
{
    ngx_uint_t      i, n;
    ngx_keyval_t   *header;

    static ngx_str_t  ours[] = {
        ngx_string("Authorization"),
        ngx_string("Idempotency-Key"),
        ngx_string("Content-Type"),
        ngx_string("Content-Length"),
        ngx_string("Content-Encoding"),
        ngx_string("Transfer-Encoding"),
        ngx_string("Accept-Encoding"),
        ngx_string("Cookie")
    };

    if (plcf->headers_source == NULL) {
        return NGX_OK;
    }

    header = plcf->headers_source->elts;

    for (i = 0; i < plcf->headers_source->nelts; i++) {

        for (n = 0; n < sizeof(ours) / sizeof(ours[0]); n++) {

            if (header[i].key.len == ours[n].len
                && ngx_strncasecmp(header[i].key.data, ours[n].data,
                                   ours[n].len)
                   == 0)
            {
                return ngx_http_segments_refuse_conf(cf,
                           "\"proxy_set_header %V\" cannot be used in a "
                           "guarded location: the gateway decides on this "
                           "header", &header[i].key);
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_upstream(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_proxy_loc_conf_t  *plcf;

    plcf = slcf->plcf;

    /* a URL with variables is judged when it is known */

    if (slcf->upstream_insecure || plcf->upstream.upstream == NULL) {
        return NGX_OK;
    }

    if (plcf->vars.schema.len == sizeof("https://") - 1) {

        if (plcf->upstream.ssl_verify) {
            return NGX_OK;
        }

        return ngx_http_segments_refuse_conf(cf,
                   "the Secret Key would go to an unverified server: "
                   "set \"proxy_ssl_verify on\" with "
                   "\"proxy_ssl_trusted_certificate\", or permit it with "
                   "\"segments_upstream_insecure on\"");
    }

    if (ngx_http_segments_local_upstream(plcf->upstream.upstream)) {
        return NGX_OK;
    }

    return ngx_http_segments_refuse_conf(cf,
               "the Secret Key would leave this host unencrypted: "
               "use https in \"proxy_pass\", or permit it with "
               "\"segments_upstream_insecure on\"");
}


static ngx_uint_t
ngx_http_segments_local_upstream(ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                     n;
    ngx_http_upstream_rr_peer_t   *peer;
    ngx_http_upstream_rr_peers_t  *peers;

    /*
     * the addresses of every balancer start as round robin peers; none are
     * known yet for servers that are resolved while running
     */

    n = 0;

    for (peers = uscf->peer.data; peers; peers = peers->next) {

        for (peer = peers->peer; peer; peer = peer->next) {

            if (!ngx_http_segments_local_addr(peer->sockaddr)) {
                return 0;
            }

            n++;
        }
    }

    return n != 0;
}


static ngx_uint_t
ngx_http_segments_local_addr(struct sockaddr *sa)
{
    struct sockaddr_in  *sin;

#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (sa->sa_family) {

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return 1;
#endif

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
#endif

    default: /* AF_INET */
        sin = (struct sockaddr_in *) sa;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    }
}


ngx_int_t
ngx_http_segments_check_url(ngx_http_request_t *r,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_str_t                   url;
    ngx_url_t                   u;
    ngx_uint_t                  https;
    ngx_http_proxy_loc_conf_t  *plcf;

    plcf = slcf->plcf;

    if (plcf->proxy_lengths == NULL) {
        return NGX_OK;
    }

    if (ngx_http_script_run(r, &url, plcf->proxy_lengths->elts, 0,
                            plcf->proxy_values->elts)
        == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    if (url.len > 7 && ngx_strncasecmp(url.data, (u_char *) "http://", 7) == 0)
    {
        https = 0;
        u.url.len = url.len - 7;
        u.url.data = url.data + 7;
        u.default_port = 80;

    } else if (url.len > 8
               && ngx_strncasecmp(url.data, (u_char *) "https://", 8) == 0)
    {
        https = 1;
        u.url.len = url.len - 8;
        u.url.data = url.data + 8;
        u.default_port = 443;

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "invalid URL \"%V\" in \"proxy_pass\" of a guarded "
                      "location", &url);
        return NGX_ERROR;
    }

    u.uri_part = 1;
    u.no_resolve = 1;

    if (ngx_parse_url(r->pool, &u) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "%s in URL \"%V\" of \"proxy_pass\" in a guarded "
                      "location", u.err ? u.err : "error", &url);
        return NGX_ERROR;
    }

    if (u.uri.len) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"proxy_pass\" of a guarded location evaluates to "
                      "\"%V\": it must not have a URI", &url);
        return NGX_ERROR;
    }

    if (slcf->upstream_insecure
        || (https && plcf->upstream.ssl_verify)
        || (!https && ngx_http_segments_local_url(r, &u)))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "\"proxy_pass\" of a guarded location evaluates to \"%V\": "
                  "the Secret Key would travel unprotected", &url);

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_segments_local_url(ngx_http_request_t *r, ngx_url_t *u)
{
    ngx_uint_t                       i;
    ngx_http_upstream_srv_conf_t   **uscfp;
    ngx_http_upstream_main_conf_t   *umcf;

    if (u->naddrs) {
        return ngx_http_segments_local_addr(u->addrs[0].sockaddr);
    }

    umcf = ngx_http_get_module_main_conf(r, ngx_http_upstream_module);

    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->host.len == u->host.len
            && ((uscfp[i]->port == 0 && u->no_port)
                || uscfp[i]->port == u->port)
            && ngx_strncasecmp(uscfp[i]->host.data, u->host.data, u->host.len)
               == 0)
        {
            return ngx_http_segments_local_upstream(uscfp[i]);
        }
    }

    return 0;
}
