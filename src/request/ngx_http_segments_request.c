
/*
 * A request's way to the upstream, or to our own answer, and what is kept of
 * it on the way.
 */


#include "request/ngx_http_segments_request.h"
#include "life/ngx_http_segments_conf.h"
#include "request/ngx_http_segments_admit.h"
#include "request/ngx_http_segments_body.h"
#include "request/ngx_http_segments_decide.h"
#include "request/ngx_http_segments_forward.h"
#include "request/ngx_http_segments_validate.h"


static ngx_int_t ngx_http_segments_step(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_read_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_body_handler(ngx_http_request_t *r);


ngx_int_t
ngx_http_segments_handler(ngx_http_request_t *r)
{
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (!slcf->enable && !r->internal) {
        return NGX_DECLINED;
    }

    /*
     * try_files and the like may take a request elsewhere after it was
     * judged, and perhaps claimed, here: it must not reach any upstream
     */

    if (ngx_http_get_module_ctx(r, ngx_http_segments_module) == NULL
        && ngx_http_segments_get_ctx(r) != NULL)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "a request was redirected out of a guarded location");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!slcf->enable) {
        return NGX_DECLINED;
    }

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "a subrequest cannot enter a guarded location");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* what the configuration's check did not see, as it came later */

    if (r->content_handler != ngx_http_segments_forward_handler) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "another module answers in a guarded location");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_segments_need_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_segments_step(r, ctx);
}


static ngx_int_t
ngx_http_segments_step(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_int_t  rc;

    switch (ctx->state) {

    case ngx_http_segments_start:

        rc = ngx_http_segments_validate_head(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_segments_read_body(r, ctx);

    case ngx_http_segments_read:

        rc = ngx_http_segments_validate_body(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_segments_ask_first(r, ctx);

    case ngx_http_segments_admit:

        if (!ctx->asked) {
            return NGX_DONE;
        }

        return ngx_http_segments_ask_limits(r, ctx);

    case ngx_http_segments_spend:

        if (ctx->limits->cmd || (ctx->claim && !ctx->asked)) {
            return NGX_DONE;
        }

        return ngx_http_segments_ask_limits(r, ctx);

    case ngx_http_segments_await:

        if (ctx->waiter->shared) {
            return ngx_http_segments_ask_nobody(r, ctx);
        }

        if (ngx_http_segments_wait_over(ctx->waiter)) {
            return ngx_http_segments_decide(r, ctx);
        }

        return ngx_http_segments_ask_again(r, ctx);

    case ngx_http_segments_forward:

        return NGX_DECLINED;

    default:

        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "request phases run in state %d", ctx->state);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static ngx_int_t
ngx_http_segments_read_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_int_t  rc;

    ngx_http_segments_enter(ctx, ngx_http_segments_read);

    rc = ngx_http_read_client_request_body(r, ngx_http_segments_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_segments_body_handler(ngx_http_request_t *r)
{
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}
