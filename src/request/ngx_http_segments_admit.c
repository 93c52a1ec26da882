
/*
 * Admission: Redis is asked whose the key is and what the limits leave, and
 * the request runs, waits, or is answered.
 */


#include "request/ngx_http_segments_admit.h"
#include "limit/ngx_http_segments_limit_told.h"
#include "request/ngx_http_segments_client.h"
#include "request/ngx_http_segments_decide.h"
#include "request/ngx_http_segments_name.h"
#include "message/ngx_http_segments_text.h"


static ngx_int_t ngx_http_segments_ask(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_admission(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_ask_aged(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_await_redis(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_resume(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_asked(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_limits_asked(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_take_reply(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_take_answer(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_open_answer(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_copy(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_redis_text_t *src);


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
    u_char                         fingerprint[SG_FINGERPRINT_LEN];
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_http_segments_set_names(r, ctx, slcf) != NGX_OK
        || ngx_http_segments_record_body(ctx, &slcf->store, fingerprint)
           != NGX_OK
        || ngx_http_segments_watch_client(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->claim = ngx_http_segments_claim_create(&slcf->store,
                                                &slcf->idempotency,
                                                &ctx->record, fingerprint);
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
    const ngx_redis_limits_t  *limits;

    limits = ngx_http_segments_limits_of_claim(ctx->limits, &ctx->record);

    if (ngx_http_segments_claim_ask(ctx->claim, limits,
                                    ngx_http_segments_asked, ctx)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_admit);

    ctx->asked = 0;

    return ngx_http_segments_await_redis(r, ctx);
}


/*
 * Before it goes on, with limits that were spent already: an answer came late,
 * or several did, and another may be about to take over.
 */

static ngx_int_t
ngx_http_segments_ask_aged(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    if (ctx->limits) {
        ctx->limits->paid = 1;
    }

    if (ngx_http_segments_claim_ask(ctx->claim, NULL, ngx_http_segments_asked,
                                    ctx)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

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


static void
ngx_http_segments_asked(void *data, const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_ctx_t *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ctx->asked = 1;

    ngx_http_segments_take_reply(r, ctx, reply);
    ngx_http_segments_wait_told(ctx->waiter, reply);

    if (ngx_http_segments_limits_told(r, ctx->limits, ctx->verdict, reply)
        != NGX_OK
        && ctx->verdict == ngx_redis_record_limited)
    {
        ctx->verdict = ngx_redis_record_unreadable;
    }

    ngx_http_segments_resume(r, ctx);
}


ngx_int_t
ngx_http_segments_ask_nobody(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_take_reply(r, ctx, &ctx->waiter->shared->reply);
    ngx_http_segments_wait_forget(ctx->waiter);

    return ngx_http_segments_decide(r, ctx);
}


static void
ngx_http_segments_take_reply(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply)
{
    ctx->verdict = reply->verdict;
    ctx->left = reply->left;
    ctx->status = reply->status;

    if (ngx_http_segments_take_answer(r, ctx, reply) != NGX_OK) {

        /* there is an answer: without it, the request must not run again */

        ctx->verdict = ngx_redis_record_unreadable;
    }
}


static ngx_int_t
ngx_http_segments_take_answer(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply)
{
    if (reply->seal.len) {
        return ngx_http_segments_open_answer(r, ctx, reply);
    }

    if (ngx_http_segments_copy(r->pool, &ctx->headers, &reply->headers)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_segments_copy(r->pool, &ctx->body, &reply->body);
}


static ngx_int_t
ngx_http_segments_open_answer(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply)
{
    u_char                        *text;
    sg_sealed_t                    answer;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    answer.name = ngx_http_segments_text(&ctx->record);
    answer.head.data = (const u_char *) reply->head.data;
    answer.head.len = reply->head.len;
    answer.headers.data = (const u_char *) reply->headers.data;
    answer.headers.len = reply->headers.len;
    answer.body.data = (const u_char *) reply->body.data;
    answer.body.len = reply->body.len;

    if (ngx_http_segments_open(&slcf->seal, r->pool, &answer,
                               (const u_char *) reply->seal.data, &text,
                               r->connection->log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->headers.data = text;
    ctx->headers.len = reply->headers.len;
    ctx->body.data = text + reply->headers.len;
    ctx->body.len = reply->body.len;

    return NGX_OK;
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

        /* a refusal only gives it back */

        if (ctx->claim && ngx_http_segments_claim_aged(ctx->claim)
            && (ctx->limits == NULL
                || ctx->limits->verdict == ngx_redis_record_ok))
        {
            return ngx_http_segments_ask_aged(r, ctx);
        }

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
