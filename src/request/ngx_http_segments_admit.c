
/*
 * Admission: Redis is asked whose the key is and what the limits leave, and
 * the request runs, waits, or is answered.
 */


#include "contract/sg_record.h"
#include "life/ngx_http_segments_status.h"


static ngx_int_t ngx_http_segments_ask(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_admission(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_await_redis(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_resume(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_name(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf);
static void ngx_http_segments_asked(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_limits_asked(void *data,
    const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_copy(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_redis_text_t *src);
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
ngx_http_segments_ask_first(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ctx->route.operation == sg_op_create
        && ngx_http_segments_find_limits(r, &slcf->limit, &slcf->store,
                                         &ctx->limits)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->key.len) {
        return ngx_http_segments_ask(r, ctx);
    }

    ctx->verdict = ngx_redis_record_ok;

    return ngx_http_segments_ask_limits(r, ctx);
}


static ngx_int_t
ngx_http_segments_ask(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_http_segments_name(r, ctx, slcf) != NGX_OK
        || ngx_http_segments_watch_client(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->claim = ngx_http_segments_claim_create(&slcf->store,
                                                &slcf->idempotency,
                                                &ctx->record,
                                                ctx->fingerprint);
    if (ctx->claim == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_segments_admission(r, ctx);
}


ngx_int_t
ngx_http_segments_ask_again(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_wait_ask(ctx->waiter, ctx->claim);

    return ngx_http_segments_admission(r, ctx);
}


static ngx_int_t
ngx_http_segments_admission(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_redis_limits_t  limits;

    ngx_http_segments_limits_of_claim(ctx->limits, &ctx->record, &limits);

    if (ngx_http_segments_claim_ask(ctx->claim, &limits,
                                    ngx_http_segments_asked, ctx)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_admit);

    ctx->asked = 0;

    return ngx_http_segments_await_redis(r, ctx);
}


static ngx_int_t
ngx_http_segments_await_redis(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ctx->redis_start = ngx_current_msec;

    ngx_http_segments_test_client(r);

    return NGX_DONE;
}


/* last in a handler of Redis' answer: the request may be gone behind it */

static void
ngx_http_segments_resume(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_connection_t  *c;

    c = r->connection;

    ctx->redis_time += ngx_current_msec - ctx->redis_start;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_segments_name(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_loc_conf_t *slcf)
{
    u_char    *p;
    sg_str_t   prefix, scope, key;
    sg_buf_t   name;
    ngx_str_t  value;

    if (ngx_http_complex_value(r, slcf->idempotency.scope, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    prefix = ngx_http_segments_text(&slcf->store.prefix);
    scope = ngx_http_segments_text(&value);
    key = ngx_http_segments_text(&ctx->key);

    sg_buf_init(&name);
    sg_record_name(&name, prefix, slcf->store.environment, scope,
                   ctx->route.operation, key);

    if (ngx_http_segments_take(r->pool, &ctx->record, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (slcf->idempotency.upstream_key) {

    case NGX_HTTP_SEGMENTS_KEY_ORIGINAL:
        ctx->upstream_key = ctx->key;
        break;

    case NGX_HTTP_SEGMENTS_KEY_DERIVED:

        p = ngx_pnalloc(r->pool, SG_UPSTREAM_KEY_LEN);

        if (p == NULL
            || sg_upstream_key(p, scope, ctx->route.operation, key,
                               ctx->fingerprint)
               != 0)
        {
            return NGX_ERROR;
        }

        ctx->upstream_key.data = p;
        ctx->upstream_key.len = SG_UPSTREAM_KEY_LEN;
        break;
    }

    return NGX_OK;
}


static void
ngx_http_segments_asked(void *data, const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_ctx_t *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ctx->asked = 1;
    ctx->verdict = reply->verdict;
    ctx->left = reply->left;

    if (ngx_http_segments_copy(r->pool, &ctx->status, &reply->status) != NGX_OK
        || ngx_http_segments_copy(r->pool, &ctx->headers, &reply->headers)
           != NGX_OK
        || ngx_http_segments_copy(r->pool, &ctx->body, &reply->body) != NGX_OK)
    {
        /* there is an answer: without it, the request must not run again */

        ctx->verdict = ngx_redis_record_unreadable;
    }

    if (ngx_http_segments_limits_told(r, ctx->limits, ctx->verdict, reply)
        != NGX_OK
        && ctx->verdict == ngx_redis_record_limited)
    {
        ctx->verdict = ngx_redis_record_unreadable;
    }

    ngx_http_segments_resume(r, ctx);
}


static ngx_int_t
ngx_http_segments_copy(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_redis_text_t *src)
{
    if (src->len == 0) {
        return NGX_OK;
    }

    dst->data = ngx_pnalloc(pool, src->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);
    dst->len = src->len;

    return NGX_OK;
}


/* those that were out of the claim's reach; then, or without any, decides */

ngx_int_t
ngx_http_segments_ask_limits(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_segments_limits_ask(ctx->limits, ctx->verdict,
                                      ngx_http_segments_limits_asked, ctx);

    if (rc == NGX_DECLINED) {
        return ngx_http_segments_decide(r, ctx);
    }

    if (rc != NGX_OK || ngx_http_segments_watch_client(r) != NGX_OK) {
        ngx_http_segments_limits_cancel(ctx->limits);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the key is ours, or has been answered: nothing is left to wait for */

    ngx_http_segments_wait_end(ctx->waiter);

    ngx_http_segments_enter(ctx, ngx_http_segments_spend);

    return ngx_http_segments_await_redis(r, ctx);
}


static void
ngx_http_segments_limits_asked(void *data,
    const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_ctx_t *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ctx->limits->cmd = NULL;

    (void) ngx_http_segments_limits_told(r, ctx->limits, ctx->verdict,
                                         reply);

    ngx_http_segments_resume(r, ctx);
}


/* once it waits, a Redis that fails is one more thing to wait for */

static ngx_uint_t
ngx_http_segments_may_wait(ngx_http_segments_ctx_t *ctx)
{
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
