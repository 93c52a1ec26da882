
/*
 * proxy_pass, with the request that we made of the client's.
 *
 * The proxy module writes the upstream's request inside its handler, since
 * the body is there.  So the client's header fields and path are replaced
 * around that call only: access logs, mirror and auth_request never see ours.
 */


#include "request/ngx_http_segments_forward.h"
#include "contract/sg_headers.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"
#include "message/ngx_http_segments_text.h"
#include "request/ngx_http_segments_client.h"


/* the client's request while the upstream's stands in its place */
typedef struct {
    ngx_list_t        headers;
    ngx_str_t         unparsed_uri;
    unsigned          valid_unparsed_uri:1;
} ngx_http_segments_saved_t;


static void ngx_http_segments_evaluate(ngx_http_request_t *r);
static ngx_int_t ngx_http_segments_upstream_headers(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_list_t *headers);
static ngx_uint_t ngx_http_segments_passes(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_table_elt_t *h, ngx_uint_t nominations);
static ngx_uint_t ngx_http_segments_nominated(ngx_http_request_t *r,
    const sg_str_t *name);
static ngx_uint_t ngx_http_segments_set(ngx_http_proxy_loc_conf_t *plcf,
    sg_str_t name);
static ngx_int_t ngx_http_segments_rename(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_segments_push(ngx_http_request_t *r,
    ngx_list_t *headers, const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_segments_upstream_path(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *path);


ngx_int_t
ngx_http_segments_forward_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_str_t                      path;
    ngx_list_t                     headers;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_saved_t      saved;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx == NULL || ctx->state != ngx_http_segments_forward
        || slcf->handler == NULL)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "a request reached proxy_pass unchecked");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_segments_upstream_headers(r, ctx, &headers) != NGX_OK
        || ngx_http_segments_upstream_path(r, ctx, &path) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_segments_evaluate(r);
    ngx_http_segments_outlive_client(r);

    ctx->http_version = r->http_version;

    saved.headers = r->headers_in.headers;
    saved.unparsed_uri = r->unparsed_uri;
    saved.valid_unparsed_uri = r->valid_unparsed_uri;

    r->headers_in.headers = headers;
    r->unparsed_uri = path;
    r->valid_unparsed_uri = 1;

    rc = slcf->handler(r);

    r->headers_in.headers = saved.headers;
    r->unparsed_uri = saved.unparsed_uri;
    r->valid_unparsed_uri = saved.valid_unparsed_uri;

    return rc;
}


/*
 * A variable keeps its first value: those that show what the client sent get
 * theirs before the upstream's request takes its place.
 */

static void
ngx_http_segments_evaluate(ngx_http_request_t *r)
{
    ngx_uint_t                     *index, i;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_get_module_main_conf(r, ngx_http_segments_module);

    index = smcf->client_vars.elts;

    for (i = 0; i < smcf->client_vars.nelts; i++) {
        (void) ngx_http_get_indexed_variable(r, index[i]);
    }
}


static ngx_int_t
ngx_http_segments_upstream_headers(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_list_t *headers)
{
    ngx_uint_t                     i, nominations;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h, *copy;
    ngx_http_segments_key_t       *key;
    ngx_http_segments_loc_conf_t  *slcf;

    static ngx_str_t  identity = ngx_string("identity");

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_list_init(headers, r->pool, 16, sizeof(ngx_table_elt_t)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    nominations = ngx_http_segments_nominated(r, NULL);

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (!ngx_http_segments_passes(r, ctx, &h[i], nominations)) {
                continue;
            }

            copy = ngx_list_push(headers);
            if (copy == NULL) {
                return NGX_ERROR;
            }

            *copy = h[i];

            if (ngx_http_segments_rename(r, copy) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    /* another key may be there when the answer comes: this one was sent */

    key = ngx_http_segments_use_key(slcf->secret->key);
    ctx->masks.mask[0].key = key;

    /* a stored answer has no coding: nginx' own gzip comes behind it */

    if (ngx_http_segments_push(r, headers, "Accept-Encoding", &identity)
        != NGX_OK
        || ngx_http_segments_push(r, headers, "Authorization",
                                  &key->authorization)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->upstream_key.len) {
        return ngx_http_segments_push(r, headers, "Idempotency-Key",
                                      &ctx->upstream_key);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_segments_passes(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_table_elt_t *h, ngx_uint_t nominations)
{
    sg_str_t                       name;
    ngx_http_segments_loc_conf_t  *slcf;

    static const sg_str_t  idempotency_key = sg_string("Idempotency-Key");

    name = ngx_http_segments_text(&h->key);

    if (sg_request_header_dropped(name)) {
        return 0;
    }

    /* where a key is honoured, only the upstream's own goes upstream */

    if (ctx->key.len && sg_header_is(name, idempotency_key)) {
        return 0;
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_http_segments_set(slcf->plcf, name)) {
        return 0;
    }

    return !(nominations && ngx_http_segments_nominated(r, &name));
}


/*
 * Whether proxy_set_header has a field of that name: nginx itself then drops
 * the client's, but only where both are spelled with the same dashes.
 */

static ngx_uint_t
ngx_http_segments_set(ngx_http_proxy_loc_conf_t *plcf, sg_str_t name)
{
    sg_str_t       set;
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    if (plcf->headers_source == NULL) {
        return 0;
    }

    header = plcf->headers_source->elts;

    for (i = 0; i < plcf->headers_source->nelts; i++) {

        set = ngx_http_segments_text(&header[i].key);

        if (sg_header_is(name, set)) {
            return 1;
        }
    }

    return 0;
}


/* one that was judged goes under the name that it was judged by */

static ngx_int_t
ngx_http_segments_rename(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    sg_str_t  name, key;

    key = ngx_http_segments_text(&h->key);

    name = sg_request_header_name(key);

    if (name.data == key.data) {
        return NGX_OK;
    }

    h->key.data = (u_char *) name.data;

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    return NGX_OK;
}


/* whether Connection nominates "name"; without one, whether there is any */

static ngx_uint_t
ngx_http_segments_nominated(ngx_http_request_t *r, const sg_str_t *name)
{
    sg_str_t          list, field;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const sg_str_t  connection = sg_string("Connection");
    static const sg_str_t  content_type = sg_string("Content-Type");

    /* it was validated, and without it the body would be another message */

    if (name && sg_header_is(*name, content_type)) {
        return 0;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            field = ngx_http_segments_text(&h[i].key);

            if (!sg_header_is(field, connection)) {
                continue;
            }

            list = ngx_http_segments_text(&h[i].value);

            if (name == NULL || sg_connection_nominates(list, *name)) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_segments_push(ngx_http_request_t *r, ngx_list_t *headers,
    const char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_upstream_path(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *path)
{
    sg_buf_t  buf;

    sg_buf_init(&buf);
    sg_route_path(&buf, &ctx->route);

    if (r->args.len) {
        sg_buf_add_char(&buf, '?');
        sg_buf_add(&buf, r->args.data, r->args.len);
    }

    return ngx_http_segments_take(r->pool, path, &buf);
}
