
/*
 * The end of a claim: told to Redis, and again until Redis has taken it; until
 * then the lease is renewed.
 */


#include "idempotency/ngx_http_segments_claim_end.h"
#include "idempotency/ngx_http_segments_background.h"
#include "idempotency/ngx_http_segments_room.h"
#include "worker/ngx_segments_block.h"


/* between two tries in background, milliseconds */
#define NGX_HTTP_SEGMENTS_TRY_AGAIN         1000


static void ngx_http_segments_claim_renew(ngx_http_segments_claim_t *claim);
static void ngx_http_segments_claim_renewed(void *data,
    const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_claim_send_end(
    ngx_http_segments_claim_t *claim);
static void ngx_http_segments_claim_ended(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_claim_try_later(
    ngx_http_segments_claim_t *claim);


/* not cancelable: a worker that shuts down waits for its claims */

void
ngx_http_segments_claim_timer(void *data)
{
    ngx_http_segments_claim_t *claim = data;

    ngx_msec_t  third;

    if (claim->state == ngx_http_segments_claim_owned) {
        ngx_http_segments_claim_renew(claim);

        third = claim->record.lease / 3;
        ngx_segments_timer_add(&claim->timer, third, third);

        return;
    }

    /* settling: the lease must not end before the answer gets through */

    if (claim->end >= ngx_http_segments_complete) {
        ngx_http_segments_claim_renew(claim);

        if (claim->cmd) {
            return;
        }
    }

    if (ngx_http_segments_claim_send_end(claim) != NGX_OK) {
        ngx_http_segments_claim_try_later(claim);
    }
}


void
ngx_http_segments_claim_lives(ngx_http_segments_claim_t *claim)
{
    ngx_msec_t  gone, third;

    gone = ngx_current_msec - claim->asked;
    third = claim->record.lease / 3;

    ngx_segments_timer_add(&claim->timer, third,
                           (gone < third) ? third - gone : 1);
}


void
ngx_http_segments_claim_pause(ngx_http_segments_claim_t *claim)
{
    if (claim->cmd) {
        (void) ngx_redis_cancel(claim->cmd);
        claim->cmd = NULL;
    }

    ngx_segments_timer_del(&claim->timer);
}


/* what nobody waits for is tried past the breaker: a claim depends on it */

static void
ngx_http_segments_claim_renew(ngx_http_segments_claim_t *claim)
{
    if (claim->cmd == NULL) {
        claim->record.options.failures = 0;
        claim->renewing = ngx_current_msec;
        claim->cmd = ngx_redis_record_renew(&claim->record,
                                            ngx_http_segments_claim_renewed,
                                            claim);
    }
}


static void
ngx_http_segments_claim_renewed(void *data,
    const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_claim_t *claim = data;

    claim->cmd = NULL;

    if (claim->state == ngx_http_segments_claim_settling) {

        /* stale, too: the end may have got through without its reply */

        if (ngx_http_segments_claim_send_end(claim) != NGX_OK) {
            ngx_http_segments_claim_try_later(claim);
        }

        return;
    }

    if (reply->verdict == ngx_redis_record_ok) {
        claim->asked = claim->renewing;
        return;
    }

    if (reply->verdict == ngx_redis_record_stale) {
        ngx_log_error(NGX_LOG_WARN, ngx_redis_tally(ngx_cycle->log), 0,
                      "a claim was lost while its request was running");

        /* who has not sent anything yet asks again */

        claim->asked = ngx_current_msec - claim->record.lease;

        ngx_segments_timer_del(&claim->timer);
    }
}


/* NGX_ERROR: nothing was sent yet, or nothing ever will be */

ngx_int_t
ngx_http_segments_claim_end(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end)
{
    ngx_http_segments_claim_pause(claim);

    claim->state = ngx_http_segments_claim_settling;
    claim->end = end;

    /* their channel stands in the value, which is not as it was made: the
       straight way would be in vain, and lost where Redis is silent */

    if (claim->waiting
        && ngx_http_segments_find_awaited(*claim->waiting,
                                          &claim->record.name))
    {
        claim->record.straight = 0;
    }

    if (ngx_http_segments_claim_send_end(claim) != NGX_OK) {
        ngx_http_segments_claim_try_later(claim);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_claim_send_end(ngx_http_segments_claim_t *claim)
{
    ngx_redis_record_t           *record;
    ngx_redis_record_handler_pt   ended;

    record = &claim->record;
    ended = ngx_http_segments_claim_ended;

    switch (claim->end) {

    case ngx_http_segments_complete:
        claim->cmd = ngx_redis_record_complete(record, claim->status,
                                               &claim->headers, &claim->body,
                                               ended, claim);
        break;

    case ngx_http_segments_bury:
        claim->cmd = ngx_redis_record_bury(record, claim->status, ended,
                                           claim);
        break;

    case ngx_http_segments_unknown:
        claim->cmd = ngx_redis_record_unknown(record, ended, claim);
        break;

    case ngx_http_segments_give_back:
        claim->cmd = ngx_redis_record_give_back(record, ended, claim);
        break;
    }

    return claim->cmd ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_segments_claim_ended(void *data, const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_claim_t *claim = data;

    void                         *waiting;
    ngx_redis_record_handler_pt   handler;

    claim->cmd = NULL;

    waiting = claim->data;
    handler = claim->handler;
    claim->handler = NULL;

    switch (reply->verdict) {

    case ngx_redis_record_ok:
        ngx_http_segments_claim_done(claim);
        break;

    case ngx_redis_record_stale:

        if (!claim->doubtful || claim->end >= ngx_http_segments_complete) {
            ngx_log_error(NGX_LOG_WARN, ngx_redis_tally(ngx_cycle->log), 0,
                          "a request outlived its claim, "
                          "the record is not its own any more");
        }

        ngx_http_segments_claim_done(claim);
        break;

    default:
        claim->doubtful = 1;
        ngx_http_segments_claim_try_later(claim);
    }

    /* the claim is gone by now unless its request is attached */

    if (handler) {
        handler(waiting, reply);
    }
}


static void
ngx_http_segments_claim_try_later(ngx_http_segments_claim_t *claim)
{
    ngx_msec_t  delay;

    claim->record.options.failures = 0;

    delay = ngx_min(claim->record.lease / 3, NGX_HTTP_SEGMENTS_TRY_AGAIN);

    if (!claim->background) {

        if (ngx_http_segments_background_enter(claim->held) != NGX_OK) {
            ngx_http_segments_claim_done(claim);
            return;
        }

        claim->background = 1;
        claim->deadline = ngx_current_msec + claim->record.lease + delay;
    }

    if ((ngx_msec_int_t) (claim->deadline - ngx_current_msec) <= 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "Redis did not take the end of a claim for a whole "
                      "lease, it is left to the lease");
        ngx_http_segments_claim_done(claim);
        return;
    }

    ngx_segments_timer_add(&claim->timer, delay, delay);
}


void
ngx_http_segments_claim_done(ngx_http_segments_claim_t *claim)
{
    claim->state = ngx_http_segments_claim_settled;

    if (claim->background) {
        claim->background = 0;
        ngx_http_segments_background_leave(claim->held);
    }

    if (!claim->attached) {
        ngx_http_segments_claim_destroy(claim);
    }
}


void
ngx_http_segments_claim_destroy(ngx_http_segments_claim_t *claim)
{
    if (claim->room) {
        ngx_segments_block_free(claim->room);
    }

    if (claim->fields) {
        ngx_segments_block_free(claim->fields);
    }

    if (claim->sealed) {
        ngx_segments_block_free(claim->sealed);
    }

    ngx_segments_block_free(claim);
}
