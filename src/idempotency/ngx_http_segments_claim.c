
/*
 * The owner of a record: asks, renews, settles, and goes on settling when the
 * request is gone.
 */


#include "idempotency/ngx_http_segments_claim.h"
#include "idempotency/ngx_http_segments_claim_end.h"
#include "record/ngx_http_segments_token.h"
#include "message/ngx_http_segments_text.h"


/* bytes: a small answer, and its header fields */
#define NGX_HTTP_SEGMENTS_CLAIM_POOL  1024


static void ngx_http_segments_claim_asked(void *data,
    const ngx_redis_record_reply_t *reply);


ngx_http_segments_claim_t *
ngx_http_segments_claim_create(ngx_http_segments_store_t *store,
    ngx_http_segments_idempotency_conf_t *conf, ngx_str_t *name,
    u_char *fingerprint)
{
    ngx_redis_record_t         *record;
    ngx_http_segments_claim_t  *claim;

    /* one allocation, as long as the upstream takes: no pool until an answer */

    claim = ngx_alloc(sizeof(ngx_http_segments_claim_t) + name->len,
                      ngx_cycle->log);
    if (claim == NULL) {
        return NULL;
    }

    ngx_memzero(claim, sizeof(ngx_http_segments_claim_t));

    claim->timer.handler = ngx_http_segments_claim_timer;
    claim->timer.data = claim;
    claim->timer.log = ngx_cycle->log;
    claim->attached = 1;
    claim->store = store;
    claim->failures = store->options.failures;
    claim->replicas = store->options.replicas;

    record = &claim->record;

    record->redis = store->redis;
    record->options = store->options;
    record->options.replicas = 0;
    record->lease = conf->lease;
    record->ttl = conf->ttl;
    record->hold = (conf->unknown == NGX_HTTP_SEGMENTS_HOLD);

    record->name.len = name->len;
    record->name.data = (u_char *) &claim[1];
    ngx_memcpy(record->name.data, name->data, name->len);

    if (ngx_http_segments_token(record->token) != NGX_OK
        || ngx_redis_record_init(record, fingerprint) != NGX_OK)
    {
        ngx_free(claim);
        return NULL;
    }

    return claim;
}


ngx_int_t
ngx_http_segments_claim_ask(ngx_http_segments_claim_t *claim,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    if (claim->state == ngx_http_segments_claim_owned) {
        ngx_http_segments_claim_pause(claim);
        claim->doubtful = 1;
    }

    claim->record.options.replicas = claim->replicas;
    claim->asked = ngx_current_msec;

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
        ngx_http_segments_claim_lives(claim);
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


void
ngx_http_segments_claim_listen(ngx_http_segments_claim_t *claim,
    ngx_str_t *channel)
{
    if (channel) {
        claim->record.channel = *channel;

    } else {
        ngx_str_null(&claim->record.channel);
    }
}


ngx_pool_t *
ngx_http_segments_claim_pool(ngx_http_segments_claim_t *claim)
{
    if (claim->pool == NULL) {
        claim->pool = ngx_create_pool(NGX_HTTP_SEGMENTS_CLAIM_POOL,
                                      ngx_cycle->log);
    }

    return claim->pool;
}


ngx_buf_t *
ngx_http_segments_claim_room(ngx_http_segments_claim_t *claim, ngx_buf_t *kept,
    size_t size)
{
    ngx_buf_t   *b;
    ngx_pool_t  *pool;

    pool = ngx_http_segments_claim_pool(claim);
    if (pool == NULL) {
        return NULL;
    }

    b = ngx_create_temp_buf(pool, size);
    if (b == NULL) {
        return NULL;
    }

    if (kept) {
        b->last = ngx_cpymem(b->last, kept->pos, kept->last - kept->pos);

        (void) ngx_pfree(pool, kept->start);
    }

    claim->held = size;

    return b;
}


void
ngx_http_segments_claim_answer(ngx_http_segments_claim_t *claim,
    ngx_uint_t status, ngx_str_t *headers, ngx_str_t *body)
{
    claim->status = status;

    if (headers) {
        claim->headers = *headers;
        claim->held += headers->len;
    }

    if (body) {
        claim->body = *body;
    }
}


ngx_int_t
ngx_http_segments_claim_seal(ngx_http_segments_claim_t *claim,
    ngx_http_segments_seal_conf_t *conf)
{
    u_char       head[SG_VALUE_HEAD];
    ngx_str_t    sealed;
    sg_value_t   value;
    sg_sealed_t  answer;

    value = claim->record.mine;
    value.state = sg_value_answered;
    value.status = (unsigned) claim->status;
    value.headers.len = claim->headers.len;
    value.body.len = claim->body.len;
    value.sealed = 1;

    answer.name = ngx_http_segments_text(&claim->record.name);
    answer.headers = ngx_http_segments_text(&claim->headers);
    answer.body = ngx_http_segments_text(&claim->body);

    answer.head.data = head;
    answer.head.len = sg_value_head(head, &value);

    if (ngx_http_segments_seal(conf, claim->pool, &answer, &sealed) != NGX_OK) {
        return NGX_ERROR;
    }

    claim->held += sealed.len;

    claim->headers.data = sealed.data;
    claim->body.data = sealed.data + claim->headers.len;
    claim->body.len += NGX_HTTP_SEGMENTS_SEAL;

    claim->record.items = NGX_HTTP_SEGMENTS_SEAL;

    return NGX_OK;
}


ngx_uint_t
ngx_http_segments_claim_aged(ngx_http_segments_claim_t *claim)
{
    return claim->state == ngx_http_segments_claim_owned
           && ngx_current_msec - claim->asked > claim->record.lease / 3 * 2;
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


ngx_http_segments_store_t *
ngx_http_segments_claim_store(ngx_http_segments_claim_t *claim)
{
    return claim->store;
}


ngx_str_t *
ngx_http_segments_claim_name(ngx_http_segments_claim_t *claim)
{
    return &claim->record.name;
}


ngx_msec_t
ngx_http_segments_claim_lease(ngx_http_segments_claim_t *claim)
{
    return claim->record.lease;
}


u_char *
ngx_http_segments_claim_fingerprint(ngx_http_segments_claim_t *claim)
{
    return claim->record.fingerprint;
}


ngx_http_segments_end_e
ngx_http_segments_claim_ended_as(ngx_http_segments_claim_t *claim)
{
    return claim->end;
}


ngx_uint_t
ngx_http_segments_claim_holds(ngx_http_segments_claim_t *claim)
{
    return claim->record.hold;
}
