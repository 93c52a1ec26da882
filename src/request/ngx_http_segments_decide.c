
/*
 * By what Redis has said, a request runs, waits, or is answered.
 */


#include "request/ngx_http_segments_decide.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_status.h"
#include "limit/ngx_http_segments_limit_names.h"
#include "request/ngx_http_segments_client.h"
#include "request/ngx_http_segments_refuse.h"
#include "request/ngx_http_segments_replay.h"


static ngx_uint_t ngx_http_segments_may_wait(ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_run(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_limited(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_unusable(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_give_up(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_end_e end);


ngx_int_t
ngx_http_segments_decide(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_http_segments_may_wait(ctx)
        && ngx_http_segments_wait(r, &ctx->waiter, &slcf->idempotency,
                                  ctx->claim, ctx->verdict, ctx->left)
           == NGX_DONE)
    {
        /* a replay has limits of its own to tell about */

        ctx->waiter->shares = (ctx->limits == NULL);

        ngx_http_segments_enter(ctx, ngx_http_segments_await);
        ngx_http_segments_test_client(r);

        return NGX_DONE;
    }

    ngx_http_segments_wait_end(ctx->waiter);

    switch (ctx->verdict) {

    case ngx_redis_record_ok:
        return ngx_http_segments_run(r, ctx);

    case ngx_redis_record_replay:
        return ngx_http_segments_replay(r, ctx);

    case ngx_redis_record_tombstone:
        return ngx_http_segments_refuse(r, ctx,
                                        ngx_http_segments_refuse_buried, NULL);

    case ngx_redis_record_in_progress:
        return ngx_http_segments_refuse(r, ctx,
                                        ngx_http_segments_refuse_in_progress,
                                        NULL);

    case ngx_redis_record_mismatch:
        return ngx_http_segments_refuse(r, ctx,
                                        ngx_http_segments_refuse_reused, NULL);

    case ngx_redis_record_held:
        return ngx_http_segments_refuse(r, ctx,
                                        ngx_http_segments_refuse_held, NULL);

    case ngx_redis_record_limited:
        return ngx_http_segments_limited(r, ctx);

    case ngx_redis_record_unreadable:
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_redis,
                                        NULL);

    default: /* failed, lost */
        return ngx_http_segments_unusable(r, ctx);
    }
}


/* once it waits, a Redis that fails is one more thing to wait for; who has
   spent a cluster's limits has ended its wait, and begins none */

static ngx_uint_t
ngx_http_segments_may_wait(ngx_http_segments_ctx_t *ctx)
{
    if (ctx->state == ngx_http_segments_spend) {
        return 0;
    }

    switch (ctx->verdict) {

    case ngx_redis_record_in_progress:
        return 1;

    case ngx_redis_record_failed:
    case ngx_redis_record_lost:
        return ctx->waiter != NULL;

    default:
        return 0;
    }
}


/* the claim is ours, or there is none: what did the limits say? */

static ngx_int_t
ngx_http_segments_run(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    switch (ctx->limits ? ctx->limits->verdict : ngx_redis_record_ok) {

    case ngx_redis_record_ok:
        ngx_http_segments_enter(ctx, ngx_http_segments_forward);
        return NGX_DECLINED;

    case ngx_redis_record_limited:
        return ngx_http_segments_limited(r, ctx);

    case ngx_redis_record_unreadable:
        ngx_http_segments_give_up(ctx, ngx_http_segments_give_back);
        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_redis,
                                        NULL);

    default: /* failed, lost */
        return ngx_http_segments_unusable(r, ctx);
    }
}


static ngx_int_t
ngx_http_segments_limited(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_int_t    rc;
    sg_errors_t  errors;

    ngx_http_segments_give_up(ctx, ngx_http_segments_give_back);

    sg_errors_init(&errors);

    sg_buf_add_cstr(&errors.message, "The rate limit is exceeded: ");
    ngx_http_segments_limits_violated(ctx->limits, &errors.message);

    rc = ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_limited,
                                  &errors);
    sg_errors_free(&errors);

    return rc;
}


static ngx_int_t
ngx_http_segments_unusable(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    /* who has waited knows of another request, and never runs beside it */

    if (slcf->redis_failure == NGX_HTTP_SEGMENTS_REJECT
        || (ctx->waiter && ctx->verdict != ngx_redis_record_ok))
    {
        ngx_http_segments_give_up(ctx, ngx_http_segments_give_back);

        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_redis,
                                        NULL);
    }

    if (ctx->limits) {
        ctx->limits->status = "BYPASSED";
    }

    ngx_log_error(NGX_LOG_WARN, ngx_redis_tally(r->connection->log), 0,
                  "Redis is unusable, a create goes on without its %s",
                  ctx->verdict == ngx_redis_record_ok ? "limits" : "record");

    if (ctx->verdict != ngx_redis_record_ok) {

        /* a claim whose reply was lost must not vanish behind an effect */

        ngx_http_segments_give_up(ctx, ngx_http_segments_unknown);

        ngx_http_segments_set_idempotency_status(ctx, "bypassed");
    }

    if (ctx->claim == NULL) {
        ngx_http_segments_set_outcome(ctx, ngx_http_segments_bypassed);
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_forward);

    return NGX_DECLINED;
}


/* the request goes on, or ends, without its claim */

static void
ngx_http_segments_give_up(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_end_e end)
{
    ngx_http_segments_claim_t  *claim;

    claim = ctx->claim;
    ctx->claim = NULL;

    if (claim) {
        ngx_http_segments_claim_detach(claim, end);
        ngx_http_segments_claim_free(claim);
    }
}
