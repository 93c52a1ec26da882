
/*
 * An answer leaves when Redis knows how its request ended, or does not answer
 * in time.
 */


#include "answer/ngx_http_segments_settle.h"
#include "answer/ngx_http_segments_output.h"
#include "idempotency/ngx_http_segments_stored.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_status.h"
#include "message/ngx_http_segments_chain.h"
#include "message/ngx_http_segments_text.h"
#include "upstream/ngx_http_segments_sent.h"


static ngx_int_t ngx_http_segments_put_out(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_uint_t complete);
static ngx_http_segments_end_e ngx_http_segments_judge(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_uint_t complete);
static ngx_int_t ngx_http_segments_record_answer(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_end_e *end);
static void ngx_http_segments_settled(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_end_upstream(ngx_http_request_t *r);
static void ngx_http_segments_tell_end(ngx_http_segments_ctx_t *ctx,
    ngx_redis_record_verdict_e verdict);


/*
 * "complete": the whole body is here.  Leaves the request in settle, or in
 * release where Redis could not even be asked.
 */

ngx_int_t
ngx_http_segments_end_capture(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_uint_t complete)
{
    ngx_http_segments_end_e  end;

    end = ngx_http_segments_judge(r, ctx, complete);

    if (end >= ngx_http_segments_complete
        && ngx_http_segments_record_answer(r, ctx, &end) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_segments_put_out(r, ctx, complete) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_settle);

    ctx->redis_start = ngx_current_msec;

    if (ngx_http_segments_claim_settle(ctx->claim, end,
                                       ngx_http_segments_settled, ctx)
        != NGX_OK)
    {
        ngx_http_segments_tell_end(ctx, ngx_redis_record_failed);
        ngx_http_segments_enter(ctx, ngx_http_segments_release);

        return complete ? ngx_http_segments_send_held(r, ctx, NULL) : NGX_OK;
    }

    r->buffered |= NGX_HTTP_SEGMENTS_BUFFERED;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_segments_put_out(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_uint_t complete)
{
    ngx_buf_t  *b;

    if (ctx->replaced) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (ctx->captured) {
        b->pos = ctx->captured->pos;
        b->last = ctx->captured->last;
    }

    if (b->pos == b->last && !complete) {
        return NGX_OK;
    }

    b->temporary = (b->pos != b->last);
    b->last_buf = complete;
    b->last_in_chain = complete;

    /* known by now, as it is of a replay: gzip has a least length */

    if (complete
        && r->headers_out.content_length_n == -1
        && r->headers_out.status != NGX_HTTP_NO_CONTENT
        && r->headers_out.status != NGX_HTTP_NOT_MODIFIED)
    {
        /* the field that nginx had, and another filter took out */

        ngx_http_clear_content_length(r);
        r->headers_out.content_length_n = b->last - b->pos;
    }

    return ngx_http_segments_append(r, &ctx->last_out, b);
}


static ngx_http_segments_end_e
ngx_http_segments_judge(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_uint_t complete)
{
    ngx_http_segments_loc_conf_t  *slcf;

    if (ctx->upstream_status == 0) {
        return ngx_http_segments_sent(r, ctx->answered)
               ? ngx_http_segments_unknown : ngx_http_segments_give_back;
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    switch (sg_answer_classify(slcf->idempotency.statuses,
                               ctx->upstream_status,
                               ngx_http_segments_text(
                                            &r->headers_out.content_type)))
    {

    case sg_answer_remembered:
        return complete ? ngx_http_segments_complete : ngx_http_segments_bury;

    case sg_answer_not_executed:
        return ngx_http_segments_give_back;

    default: /* sg_answer_unknown */
        return ngx_http_segments_unknown;
    }
}


/* the claim owns what it stores: it may have to outlive the request */

static ngx_int_t
ngx_http_segments_record_answer(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_end_e *end)
{
    u_char                         room[512];
    sg_buf_t                       headers;
    ngx_int_t                      rc;
    ngx_str_t                      body;
    ngx_http_segments_claim_t     *claim;
    ngx_http_segments_loc_conf_t  *slcf;

    claim = ctx->claim;

    if (*end == ngx_http_segments_bury) {
        ngx_http_segments_claim_tombstone(claim, ctx->upstream_status);
        return NGX_OK;
    }

    body.data = ctx->captured->pos;
    body.len = ctx->captured->last - ctx->captured->pos;

    ctx->redacted = 1;

    if (ngx_http_segments_redact(&ctx->masks, &body)) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "upstream sent the Secret Key back in a body, "
                      "where it is masked");
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    sg_buf_init_room(&headers, room, sizeof(room));

    ngx_http_segments_record_headers(r, slcf->idempotency.headers, &headers);

    rc = headers.failed ? NGX_ERROR
         : ngx_http_segments_claim_answer(claim, ctx->upstream_status, &headers,
                                          &body);

    ctx->recorded = (rc == NGX_OK) ? headers.len + body.len : 0;

    sg_buf_free(&headers);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (slcf->seal.keys && slcf->seal.write
        && ngx_http_segments_claim_seal(claim, &slcf->seal) != NGX_OK)
    {
        /* it was executed, and shall not be again: its status stays */

        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "an answer cannot be sealed, only its status is stored");

        ctx->recorded = 0;
        *end = ngx_http_segments_bury;
    }

    return NGX_OK;
}


static void
ngx_http_segments_settled(void *data, const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_ctx_t *ctx = data;

    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ctx->redis_time += ngx_current_msec - ctx->redis_start;

    ngx_http_segments_tell_end(ctx, reply->verdict);
    ngx_http_segments_enter(ctx, ngx_http_segments_release);

    r->buffered &= ~NGX_HTTP_SEGMENTS_BUFFERED;

    /*
     * Not by the top of the chain: what is behind us in nginx' order may keep
     * an empty chain to itself, and has already handed on what it had.
     */

    rc = ngx_http_segments_send_held(r, ctx, NULL);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        ngx_http_segments_end_upstream(r);
        ngx_http_finalize_request(r, rc);

    } else {
        r->write_event_handler(r);
    }

    ngx_http_run_posted_requests(c);
}


/*
 * As ngx_http_upstream_create() ends the upstream of before, where it is still
 * sending.  An upstream has a reference to its request, here the last one: if
 * its cleanup were left to ngx_http_finalize_request(), it would free what that
 * still uses.
 */

static void
ngx_http_segments_end_upstream(ngx_http_request_t *r)
{
    if (r->upstream && r->upstream->cleanup) {
        r->main->count++;
        (*r->upstream->cleanup)(r);
    }
}


static void
ngx_http_segments_tell_end(ngx_http_segments_ctx_t *ctx,
    ngx_redis_record_verdict_e verdict)
{
    const char  *status;

    status = "unstored";

    switch (ngx_http_segments_claim_ended_as(ctx->claim)) {

    case ngx_http_segments_complete:
    case ngx_http_segments_bury:

        if (verdict == ngx_redis_record_ok) {
            status = "recorded";
            break;
        }

        ngx_http_segments_set_outcome(ctx, ngx_http_segments_unstored);
        ctx->recorded = 0;
        break;

    case ngx_http_segments_unknown:

        if (ngx_http_segments_claim_holds(ctx->claim)) {
            status = "held";
        }

        break;

    case ngx_http_segments_give_back:
        break;
    }

    ngx_http_segments_set_idempotency_status(ctx, status);
}


/* left where they are: to their owner, this is a slow client */

ngx_int_t
ngx_http_segments_hold(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_chain_t *in)
{
    for ( /* void */ ; in; in = in->next) {
        if (ngx_http_segments_append(r, &ctx->last_out, in->buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_segments_send_held(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_int_t  rc;

    if (ngx_http_segments_hold(r, ctx, in) == NGX_ERROR
        || ngx_http_segments_add_status(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_pass);

    rc = ngx_http_segments_next_header_filter(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_segments_send_body(r, ctx, ctx->out);
}
