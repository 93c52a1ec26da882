
/*
 * Whether a request is one that Qonversion documents.
 */


#include "request/ngx_http_segments_validate.h"
#include "contract/sg_header_value.h"
#include "contract/sg_headers.h"
#include "contract/sg_idempotency_key.h"
#include "contract/sg_query.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"
#include "request/ngx_http_segments_refuse.h"
#include "upstream/ngx_http_segments_reach.h"


typedef struct {
    ngx_uint_t        content_types;
    ngx_uint_t        keys;
    sg_str_t          content_type;     /* the last of them */
    sg_str_t          key;
    unsigned          encoded:1;
} ngx_http_segments_fields_t;


static sg_method_e ngx_http_segments_method(ngx_http_request_t *r);
static ngx_uint_t ngx_http_segments_path(ngx_http_request_t *r,
    sg_str_t *path);
static ngx_int_t ngx_http_segments_validate_fields(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf);
static void ngx_http_segments_collect(ngx_http_request_t *r,
    ngx_http_segments_fields_t *fields);
static ngx_int_t ngx_http_segments_validate_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf,
    ngx_http_segments_fields_t *fields);
static ngx_int_t ngx_http_segments_validate_query(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf);


ngx_int_t
ngx_http_segments_validate_head(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    sg_str_t                       path;
    sg_route_e                     route;
    ngx_uint_t                     plain;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    plain = ngx_http_segments_path(r, &path);

    if (path.len < slcf->prefix.len
        || ngx_strncmp(path.data, slcf->prefix.data, slcf->prefix.len) != 0)
    {
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_path,
                                        NULL);
    }

    path.data += slcf->prefix.len;
    path.len -= slcf->prefix.len;

    route = sg_route(&ctx->route, ngx_http_segments_method(r), path,
                     slcf->operations);

    /* an escape may stand for no id's character, but it does stand in an id */

    if (!plain && route != sg_route_bad_id) {
        route = sg_route_no_path;
    }

    switch (route) {

    case sg_route_no_path:
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_path,
                                        NULL);

    case sg_route_bad_id:
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_id,
                                        NULL);

    case sg_route_no_method:
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_method,
                                        NULL);

    case sg_route_ok:
        break;
    }

    ctx->routed = 1;

    if (ngx_http_segments_check_url(r, slcf->plcf, slcf->upstream_insecure)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_segments_validate_fields(r, ctx, slcf);
}


static sg_method_e
ngx_http_segments_method(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
        return sg_method_get;

    case NGX_HTTP_POST:
        return sg_method_post;

    case NGX_HTTP_PUT:
        return sg_method_put;

    case NGX_HTTP_DELETE:
        return sg_method_delete;

    default:
        return sg_method_other;
    }
}


/*
 * Escapes, dot segments and doubled slashes have no place in a documented
 * path: whoever else parses the request might read them otherwise.  Where there
 * are any, 0, and "path" is as the client sent it.
 */

static ngx_uint_t
ngx_http_segments_path(ngx_http_request_t *r, sg_str_t *path)
{
    size_t   len;
    u_char  *args;

    path->data = r->uri.data;
    path->len = r->uri.len;

    if (!r->quoted_uri && !r->complex_uri) {
        return 1;
    }

    args = ngx_strlchr(r->unparsed_uri.data,
                       r->unparsed_uri.data + r->unparsed_uri.len, '?');

    len = args ? (size_t) (args - r->unparsed_uri.data) : r->unparsed_uri.len;

    if (len == r->uri.len
        && ngx_strncmp(r->unparsed_uri.data, r->uri.data, len) == 0)
    {
        return 1;
    }

    path->data = r->unparsed_uri.data;
    path->len = len;

    return 0;
}


static ngx_int_t
ngx_http_segments_validate_fields(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf)
{
    ngx_int_t                   rc;
    ngx_http_segments_fields_t  fields;

    ngx_http_segments_collect(r, &fields);

    if (sg_operation_has_body(ctx->route.operation)) {

        if (fields.content_types != 1
            || !sg_media_type_is_json(fields.content_type))
        {
            return ngx_http_segments_refuse(r, ctx,
                                         ngx_http_segments_refuse_content_type,
                                         NULL);
        }

        if (fields.encoded) {
            return ngx_http_segments_refuse(r, ctx,
                                       ngx_http_segments_refuse_content_coding,
                                       NULL);
        }
    }

    rc = ngx_http_segments_validate_key(r, ctx, slcf, &fields);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_segments_validate_query(r, ctx, slcf);
}


static void
ngx_http_segments_collect(ngx_http_request_t *r,
    ngx_http_segments_fields_t *fields)
{
    ngx_uint_t        i;
    sg_str_t          value;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_memzero(fields, sizeof(ngx_http_segments_fields_t));

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            value = ngx_http_segments_text(&h[i].value);

            switch (sg_request_header(ngx_http_segments_text(&h[i].key))) {

            case sg_header_content_type:
                fields->content_types++;
                fields->content_type = value;
                break;

            case sg_header_content_encoding:
                fields->encoded |= !sg_content_coding_is_identity(value);
                break;

            case sg_header_idempotency_key:
                fields->keys++;
                fields->key = value;
                break;

            default:
                break;
            }
        }
    }
}


static ngx_int_t
ngx_http_segments_validate_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf,
    ngx_http_segments_fields_t *fields)
{
    if (ctx->route.operation != sg_op_create
        || slcf->idempotency.mode == NGX_HTTP_SEGMENTS_OFF)
    {
        return NGX_OK;
    }

    if (fields->keys == 0) {

        if (slcf->idempotency.mode == NGX_HTTP_SEGMENTS_REQUIRED) {
            return ngx_http_segments_refuse(r, ctx,
                                            ngx_http_segments_refuse_no_key,
                                            NULL);
        }

        return NGX_OK;
    }

    /* no key is longer than what it was written as */

    ctx->key.data = ngx_pnalloc(r->pool, ngx_min(fields->key.len,
                                                 SG_IDEMPOTENCY_KEY_MAX));
    if (ctx->key.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (fields->keys == 1) {
        ctx->key.len = sg_idempotency_key_parse(ctx->key.data, fields->key);
    }

    if (ctx->key.len == 0) {
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_key,
                                        NULL);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_validate_query(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf)
{
    sg_str_t     query;
    ngx_int_t    rc;
    sg_errors_t  errors;

    if (r->args.len == 0) {
        return NGX_OK;
    }

    query = ngx_http_segments_text(&r->args);

    sg_errors_init(&errors);

    rc = NGX_OK;

    if (sg_query_check(ctx->route.operation, query,
                       slcf->unknown_fields == NGX_HTTP_SEGMENTS_PASS,
                       &errors)
        != 0)
    {
        rc = ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_query,
                                      &errors);
    }

    sg_errors_free(&errors);

    return rc;
}
