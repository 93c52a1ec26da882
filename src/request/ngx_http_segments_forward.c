
/*
 * proxy_pass, with the request that we made of the client's.
 *
 * The proxy module writes the upstream's request inside its handler, since
 * the body is there.  So the client's header fields and path are replaced
 * within that call only: logs, filters, mirror and auth_request never see ours.
 */


#include "request/ngx_http_segments_forward.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"
#include "message/ngx_http_segments_text.h"
#include "request/ngx_http_segments_client.h"
#include "request/ngx_http_segments_lend.h"
#include "request/ngx_http_segments_request_fields.h"


static void ngx_http_segments_evaluate(ngx_http_request_t *r);
static void ngx_http_segments_evaluate_all(ngx_http_request_t *r,
    ngx_array_t *vars);
static ngx_int_t ngx_http_segments_upstream_path(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *path);


ngx_int_t
ngx_http_segments_forward_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_str_t                      path;
    ngx_list_t                     headers;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_lent_t       lent;
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

    if (ngx_http_segments_request_fields(r, ctx, &headers) != NGX_OK
        || ngx_http_segments_upstream_path(r, ctx, &path) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_segments_evaluate(r);
    ngx_http_segments_outlive_client(r);

    ctx->http_version = r->http_version;

    ngx_http_segments_lend(r, ctx, &lent, &headers, &path);

    rc = slcf->handler(r);

    ngx_http_segments_take_back(r, ctx);

    return rc;
}


/*
 * A variable keeps its first value: those that show what the client sent get
 * theirs before the upstream's request takes its place, and so do those that
 * proxy_set_header names, of whatever module.
 */

static void
ngx_http_segments_evaluate(ngx_http_request_t *r)
{
    ngx_http_segments_loc_conf_t   *slcf;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_get_module_main_conf(r, ngx_http_segments_module);
    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    ngx_http_segments_evaluate_all(r, &smcf->client_vars);

    /* what is its own is not to be had yet, and is asked for again */

    if (slcf->plcf->headers.flushes) {
        ngx_http_segments_evaluate_all(r, slcf->plcf->headers.flushes);
    }
}


static void
ngx_http_segments_evaluate_all(ngx_http_request_t *r, ngx_array_t *vars)
{
    ngx_uint_t  *index, i;

    index = vars->elts;

    for (i = 0; i < vars->nelts; i++) {
        (void) ngx_http_get_indexed_variable(r, index[i]);
    }
}


static ngx_int_t
ngx_http_segments_upstream_path(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *path)
{
    u_char    room[512];
    sg_buf_t  buf;

    if (r->args.len == 0 && sg_route_is_collection(&ctx->route)) {
        ngx_str_set(path, SG_COLLECTION);
        return NGX_OK;
    }

    sg_buf_init_room(&buf, room, sizeof(room));

    sg_route_path(&buf, &ctx->route);

    if (r->args.len) {
        sg_buf_add_char(&buf, '?');
        sg_buf_add(&buf, r->args.data, r->args.len);
    }

    return ngx_http_segments_take(r->pool, path, &buf);
}
