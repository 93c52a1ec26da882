
/*
 * The owner of a record: asks, renews, settles, and goes on settling when the
 * request is gone.
 */


#include "idempotency/ngx_http_segments_claim.h"
#include "idempotency/ngx_http_segments_claim_end.h"
#include "record/ngx_http_segments_token.h"
#include "message/ngx_http_segments_text.h"
#include "worker/ngx_segments_block.h"


/* bytes of header fields for which there is room behind a body's */
#define NGX_HTTP_SEGMENTS_FIELDS  128


static void ngx_http_segments_claim_asked(void *data,
    const ngx_redis_record_reply_t *reply);


ngx_http_segments_claim_t *
ngx_http_segments_claim_create(ngx_http_segments_store_t *store,
    ngx_http_segments_idempotency_conf_t *conf, ngx_str_t *name,
    u_char *fingerprint)
{
    size_t                      size;
    ngx_redis_record_t         *record;
    ngx_http_segments_claim_t  *claim;

    /* one allocation, as long as the upstream takes */

    size = sizeof(ngx_http_segments_claim_t) + name->len;

    claim = ngx_segments_block_alloc(size, ngx_cycle->log);
    if (claim == NULL) {
        return NULL;
    }

    ngx_memzero(claim, size);

    claim->timer.handler = ngx_http_segments_claim_timer;
    claim->timer.data = claim;
    claim->attached = 1;
    claim->store = store;
    claim->waiting = conf->room;
    claim->failures = store->options.failures;
    claim->replicas = store->options.replicas;

    record = &claim->record;

    record->redis = store->redis;
    record->options = store->options;
    record->options.replicas = 0;
    record->lease = conf->lease;
    record->ttl = &conf->kept;
    record->hold = (conf->unknown == NGX_HTTP_SEGMENTS_HOLD);

    record->name.len = name->len;
    record->name.data = (u_char *) &claim[1];
    ngx_memcpy(record->name.data, name->data, name->len);

    if (ngx_http_segments_token(record->token) != NGX_OK
        || ngx_redis_record_init(record, fingerprint) != NGX_OK)
    {
        ngx_segments_block_free(claim);
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


ngx_buf_t *
ngx_http_segments_claim_room(ngx_http_segments_claim_t *claim, ngx_buf_t *kept,
    size_t size)
{
    ngx_buf_t  *b;

    b = ngx_segments_block_alloc(sizeof(ngx_buf_t) + size
                                 + NGX_HTTP_SEGMENTS_FIELDS,
                                 ngx_cycle->log);
    if (b == NULL) {
        return NULL;
    }

    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = (u_char *) &b[1];
    b->end = b->start + size;
    b->pos = b->start;
    b->last = b->start;
    b->temporary = 1;

    if (kept) {
        b->last = ngx_cpymem(b->last, kept->pos, kept->last - kept->pos);
    }

    if (claim->room) {
        ngx_segments_block_free(claim->room);
    }

    claim->room = b;
    claim->held = size;

    return b;
}


ngx_int_t
ngx_http_segments_claim_answer(ngx_http_segments_claim_t *claim,
    ngx_uint_t status, const sg_buf_t *headers, const ngx_str_t *body)
{
    u_char  *fields;

    fields = claim->room->end;

    if (headers->len > NGX_HTTP_SEGMENTS_FIELDS) {
        fields = ngx_segments_block_alloc(headers->len, ngx_cycle->log);
        if (fields == NULL) {
            return NGX_ERROR;
        }

        claim->fields = fields;
    }

    ngx_memcpy(fields, headers->data, headers->len);

    claim->status = status;
    claim->headers.data = fields;
    claim->headers.len = headers->len;
    claim->body = *body;
    claim->held += headers->len;

    return NGX_OK;
}


void
ngx_http_segments_claim_tombstone(ngx_http_segments_claim_t *claim,
    ngx_uint_t status)
{
    claim->status = status;
}


ngx_int_t
ngx_http_segments_claim_seal(ngx_http_segments_claim_t *claim,
    ngx_http_segments_seal_conf_t *conf)
{
    size_t       size;
    u_char       head[SG_VALUE_HEAD];
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

    size = claim->headers.len + claim->body.len + NGX_HTTP_SEGMENTS_SEAL;

    claim->sealed = ngx_segments_block_alloc(size, ngx_cycle->log);

    if (claim->sealed == NULL
        || ngx_http_segments_seal(conf, &answer, claim->sealed) != NGX_OK)
    {
        return NGX_ERROR;
    }

    claim->held += size;

    claim->headers.data = claim->sealed;
    claim->body.data = claim->sealed + claim->headers.len;
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
