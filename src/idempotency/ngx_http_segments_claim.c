
/*
 * The owner of a record: asks, renews, settles, and goes on settling when the
 * request is gone.
 */


#include "idempotency/ngx_http_segments_claim.h"
#include "life/ngx_http_segments_module.h"


/* claims of one worker that go on without a request, and the bytes of answers
   that they hold together */
#define NGX_HTTP_SEGMENTS_BACKGROUND_MAX    1000
#define NGX_HTTP_SEGMENTS_BACKGROUND_BYTES  (64 * 1024 * 1024)

/* between two tries in background, milliseconds */
#define NGX_HTTP_SEGMENTS_TRY_AGAIN         1000


static void ngx_http_segments_claim_asked(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_claim_timer(ngx_event_t *ev);
static void ngx_http_segments_claim_renew(ngx_http_segments_claim_t *claim);
static void ngx_http_segments_claim_renewed(void *data,
    const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_claim_end(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end);
static ngx_int_t ngx_http_segments_claim_send_end(
    ngx_http_segments_claim_t *claim);
static void ngx_http_segments_claim_ended(void *data,
    const ngx_redis_record_reply_t *reply);
static void ngx_http_segments_claim_try_later(
    ngx_http_segments_claim_t *claim);
static ngx_int_t ngx_http_segments_claim_go_background(
    ngx_http_segments_claim_t *claim);
static void ngx_http_segments_claim_done(ngx_http_segments_claim_t *claim);
static void ngx_http_segments_claim_destroy(ngx_http_segments_claim_t *claim);


/* of this worker */
static ngx_uint_t  ngx_http_segments_background;
static size_t      ngx_http_segments_background_bytes;


ngx_http_segments_claim_t *
ngx_http_segments_claim_create(ngx_http_segments_loc_conf_t *slcf,
    ngx_str_t *name, u_char *fingerprint)
{
    u_char                     *p;
    ngx_pool_t                 *pool;
    ngx_redis_record_t         *record;
    ngx_http_segments_claim_t  *claim;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 8, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    claim = ngx_pcalloc(pool, sizeof(ngx_http_segments_claim_t));
    p = ngx_pnalloc(pool, name->len + SG_FINGERPRINT_LEN
                          + NGX_HTTP_SEGMENTS_TOKEN_LEN);

    if (claim == NULL || p == NULL
        || ngx_http_segments_token(p + name->len + SG_FINGERPRINT_LEN)
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    claim->pool = pool;
    claim->timer.handler = ngx_http_segments_claim_timer;
    claim->timer.data = claim;
    claim->timer.log = ngx_cycle->log;
    claim->attached = 1;
    claim->failures = slcf->redis_failures;
    claim->replicas = slcf->redis_wait_replicas;

    record = &claim->record;

    record->redis = slcf->redis;
    ngx_http_segments_redis_options(slcf, &record->options);
    record->lease = slcf->lease;
    record->ttl = slcf->ttl;
    record->hold = (slcf->unknown == NGX_HTTP_SEGMENTS_HOLD);

    record->name.len = name->len;
    record->name.data = p;
    p = ngx_cpymem(p, name->data, name->len);

    record->fingerprint.len = SG_FINGERPRINT_LEN;
    record->fingerprint.data = p;
    p = ngx_cpymem(p, fingerprint, SG_FINGERPRINT_LEN);

    record->token.len = NGX_HTTP_SEGMENTS_TOKEN_LEN;
    record->token.data = p;

    return claim;
}


ngx_int_t
ngx_http_segments_claim_ask(ngx_http_segments_claim_t *claim,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    claim->record.options.replicas = claim->replicas;

    claim->cmd = ngx_redis_record_claim(&claim->record, limits,
                                        ngx_http_segments_claim_asked, claim);
    if (claim->cmd == NULL) {
        if (!claim->doubtful) {
            ngx_http_segments_claim_done(claim);
        }

        return NGX_ERROR;
    }

    claim->state = ngx_http_segments_claim_asking;
    claim->handler = handler;
    claim->data = data;

    return NGX_OK;
}


static void
ngx_http_segments_claim_asked(void *data, const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_claim_t *claim = data;

    ngx_redis_record_handler_pt  handler;

    claim->cmd = NULL;
    claim->record.options.replicas = 0;

    switch (reply->verdict) {

    case ngx_redis_record_ok:
        claim->doubtful = 0;
        claim->state = ngx_http_segments_claim_owned;
        ngx_add_timer(&claim->timer, claim->record.lease / 3);
        break;

    case ngx_redis_record_lost:

        /* it may be ours, or become ours when Redis wakes up: still asking */

        claim->doubtful = 1;
        break;

    case ngx_redis_record_failed:

        if (claim->doubtful) {
            break;
        }

        /* fall through */

    default:
        claim->doubtful = 0;
        ngx_http_segments_claim_done(claim);
    }

    /* last: the handler may detach the claim */

    handler = claim->handler;
    claim->handler = NULL;

    handler(claim->data, reply);
}


/* not cancelable: a worker that shuts down waits for its claims */

static void
ngx_http_segments_claim_timer(ngx_event_t *ev)
{
    ngx_http_segments_claim_t  *claim;

    claim = ev->data;

    if (claim->state == ngx_http_segments_claim_owned) {
        ngx_http_segments_claim_renew(claim);
        ngx_add_timer(&claim->timer, claim->record.lease / 3);
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


/* what nobody waits for is tried past the breaker: a claim depends on it */

static void
ngx_http_segments_claim_renew(ngx_http_segments_claim_t *claim)
{
    if (claim->cmd == NULL) {
        claim->record.options.failures = 0;
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

    if (reply->verdict == ngx_redis_record_stale) {
        ngx_log_error(NGX_LOG_WARN, ngx_redis_tally(ngx_cycle->log), 0,
                      "a claim was lost while its request was running");

        if (claim->timer.timer_set) {
            ngx_del_timer(&claim->timer);
        }
    }
}


ngx_int_t
ngx_http_segments_claim_settle(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end, ngx_redis_record_handler_pt handler,
    void *data)
{
    claim->record.options.failures = claim->failures;

    if (ngx_http_segments_claim_end(claim, end) != NGX_OK) {
        return NGX_ERROR;
    }

    claim->handler = handler;
    claim->data = data;

    return NGX_OK;
}


void
ngx_http_segments_claim_detach(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end)
{
    ngx_int_t  rc;

    claim->handler = NULL;
    claim->record.options.failures = 0;
    claim->record.options.replicas = 0;

    switch (claim->state) {

    case ngx_http_segments_claim_asking:

        if (claim->cmd) {
            rc = ngx_redis_cancel(claim->cmd);
            claim->cmd = NULL;

            if (rc == NGX_DECLINED && !claim->doubtful) {
                ngx_http_segments_claim_done(claim);
                return;
            }
        }

        claim->doubtful = 1;

        /* fall through */

    case ngx_http_segments_claim_owned:
        (void) ngx_http_segments_claim_end(claim, end);
        break;

    case ngx_http_segments_claim_settling:
    case ngx_http_segments_claim_settled:
        break;
    }
}


void
ngx_http_segments_claim_free(ngx_http_segments_claim_t *claim)
{
    claim->attached = 0;

    if (claim->state == ngx_http_segments_claim_settled) {
        ngx_http_segments_claim_destroy(claim);
    }
}


/* NGX_ERROR: nothing was sent yet, or nothing ever will be */

static ngx_int_t
ngx_http_segments_claim_end(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end)
{
    if (claim->cmd) {
        (void) ngx_redis_cancel(claim->cmd);
        claim->cmd = NULL;
    }

    if (claim->timer.timer_set) {
        ngx_del_timer(&claim->timer);
    }

    claim->state = ngx_http_segments_claim_settling;
    claim->end = end;

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
        claim->cmd = ngx_redis_record_complete(record, &claim->status,
                                               &claim->headers, &claim->body,
                                               ended, claim);
        break;

    case ngx_http_segments_bury:
        claim->cmd = ngx_redis_record_bury(record, &claim->status, ended,
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

        if (ngx_http_segments_claim_go_background(claim) != NGX_OK) {
            ngx_http_segments_claim_done(claim);
            return;
        }

        claim->deadline = ngx_current_msec + claim->record.lease + delay;
    }

    if ((ngx_msec_int_t) (claim->deadline - ngx_current_msec) <= 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "Redis did not take the end of a claim for a whole "
                      "lease, it is left to the lease");
        ngx_http_segments_claim_done(claim);
        return;
    }

    ngx_add_timer(&claim->timer, delay);
}


static ngx_int_t
ngx_http_segments_claim_go_background(ngx_http_segments_claim_t *claim)
{
    if (ngx_http_segments_background == NGX_HTTP_SEGMENTS_BACKGROUND_MAX) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "%ui claims are waiting for Redis already, "
                      "one more is left to its lease",
                      ngx_http_segments_background);
        return NGX_DECLINED;
    }

    if (claim->held > NGX_HTTP_SEGMENTS_BACKGROUND_BYTES
                      - ngx_http_segments_background_bytes)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "%uz bytes of answers are waiting for Redis already, "
                      "%uz more are left to their claim's lease",
                      ngx_http_segments_background_bytes, claim->held);
        return NGX_DECLINED;
    }

    ngx_http_segments_background++;
    ngx_http_segments_background_bytes += claim->held;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_background,
                                ngx_http_segments_background);

    claim->background = 1;

    return NGX_OK;
}


static void
ngx_http_segments_claim_done(ngx_http_segments_claim_t *claim)
{
    claim->state = ngx_http_segments_claim_settled;

    if (claim->background) {
        claim->background = 0;
        ngx_http_segments_background--;
        ngx_http_segments_background_bytes -= claim->held;
        ngx_http_segments_set_gauge(ngx_http_segments_gauge_background,
                                    ngx_http_segments_background);
    }

    if (!claim->attached) {
        ngx_http_segments_claim_destroy(claim);
    }
}


static void
ngx_http_segments_claim_destroy(ngx_http_segments_claim_t *claim)
{
    ngx_destroy_pool(claim->pool);
}
