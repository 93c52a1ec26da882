
/*
 * Whom the Secret Key may reach: verified servers by https, and by http only
 * this host.
 *
 * What the configuration names is judged when it is read, a "proxy_pass" with
 * variables when a request shows where it leads.  A group of servers may change
 * after that: then each address is judged, by the same rule.
 */


#include "upstream/ngx_http_segments_reach.h"
#include "redis/ngx_redis.h"
#include "upstream/ngx_http_segments_proxy.h"


static ngx_uint_t ngx_http_segments_resolving_upstream(
    ngx_http_upstream_srv_conf_t *uscf);
static ngx_uint_t ngx_http_segments_local_upstream(
    ngx_http_upstream_srv_conf_t *uscf);
static ngx_uint_t ngx_http_segments_local_url(ngx_http_request_t *r,
    ngx_url_t *u);


ngx_int_t
ngx_http_segments_check_upstream(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf, ngx_uint_t insecure)
{
    /* a URL with variables is judged when it is known */

    if (insecure || plcf->upstream.upstream == NULL) {
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

    if (ngx_http_segments_resolving_upstream(plcf->upstream.upstream)) {
        return ngx_http_segments_refuse_conf(cf,
                   "the Secret Key would leave this host unencrypted, to "
                   "addresses that \"resolve\" finds while nginx runs: "
                   "use https in \"proxy_pass\", or permit it with "
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


/* whether servers join the group while nginx runs, by "resolve" */

static ngx_uint_t
ngx_http_segments_resolving_upstream(ngx_http_upstream_srv_conf_t *uscf)
{
#if (NGX_HTTP_UPSTREAM_ZONE && nginx_version >= 1027003)

    ngx_http_upstream_rr_peers_t  *peers;

    for (peers = uscf->peer.data; peers; peers = peers->next) {
        if (peers->resolve) {
            return 1;
        }
    }

#endif

    return 0;
}


static ngx_uint_t
ngx_http_segments_local_upstream(ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                     n, local;
    ngx_http_upstream_rr_peer_t   *peer;
    ngx_http_upstream_rr_peers_t  *peers;

    /*
     * the addresses of every balancer start as round robin peers, those of
     * servers that are down among them; in a zone they come and go
     */

    n = 0;
    local = 1;

    for (peers = uscf->peer.data; peers; peers = peers->next) {

        ngx_http_upstream_rr_peers_rlock(peers);

        for (peer = peers->peer; peer; peer = peer->next) {
            local &= ngx_http_segments_local_addr(peer->sockaddr);
            n++;
        }

        ngx_http_upstream_rr_peers_unlock(peers);
    }

    return n && local;
}


ngx_uint_t
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
    ngx_http_proxy_loc_conf_t *plcf, ngx_uint_t insecure)
{
    ngx_str_t   url;
    ngx_url_t   u;
    ngx_uint_t  https;

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
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "invalid URL \"%V\" in \"proxy_pass\" of a guarded "
                      "location", &url);
        return NGX_ERROR;
    }

    u.uri_part = 1;
    u.no_resolve = 1;

    if (ngx_parse_url(r->pool, &u) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "%s in URL \"%V\" of \"proxy_pass\" in a guarded "
                      "location", u.err ? u.err : "error", &url);
        return NGX_ERROR;
    }

    if (u.uri.len) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "\"proxy_pass\" of a guarded location evaluates to "
                      "\"%V\": it must not have a URI", &url);
        return NGX_ERROR;
    }

    if (insecure
        || (https && plcf->upstream.ssl_verify)
        || (!https && ngx_http_segments_local_url(r, &u)))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                  "\"proxy_pass\" of a guarded location evaluates to \"%V\": "
                  "the Secret Key would travel unprotected", &url);

    return NGX_ERROR;
}


static ngx_uint_t
ngx_http_segments_local_url(ngx_http_request_t *r, ngx_url_t *u)
{
    ngx_uint_t                      i;
    ngx_http_upstream_srv_conf_t  **uscfp;
    ngx_http_upstream_main_conf_t  *umcf;

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
