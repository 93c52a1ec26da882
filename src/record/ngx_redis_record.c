
/*
 * The commands of a record, and what comes of them.
 */


#include "record/ngx_redis_record.h"
#include "record/ngx_redis_scripts.h"
#include "record/ngx_redis_wording.h"


static ngx_redis_command_t *ngx_redis_record_settle(
    ngx_redis_record_t *record, sg_value_t *value,
    ngx_redis_record_handler_pt handler, void *data);
static ngx_redis_command_t *ngx_redis_record_drop(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data);
static ngx_redis_command_t *ngx_redis_record_ask(ngx_redis_record_t *record,
    ngx_redis_asked_e asked, ngx_redis_script_t *script, ngx_uint_t needs,
    ngx_redis_record_handler_pt handler, void *data);
static ngx_uint_t ngx_redis_record_next(void *data, ngx_uint_t form,
    const redisReply *reply);
static void ngx_redis_record_done(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_record_log(ngx_redis_record_t *record,
    ngx_redis_said_e said, ngx_redis_words_t *words);


static const ngx_redis_asker_t  ngx_redis_record_asker = {
    ngx_redis_record_words,
    ngx_redis_record_next,
    ngx_redis_record_done
};


ngx_int_t
ngx_redis_record_init(ngx_redis_record_t *record, const u_char *fingerprint)
{
    sg_str_t     name;
    sg_value_t  *mine;

    name.data = record->name.data;
    name.len = record->name.len;

    if (sg_value_check(record->check, name) != 0) {
        return NGX_ERROR;
    }

    ngx_memcpy(record->fingerprint, fingerprint, SG_VALUE_FINGERPRINT);

    mine = &record->mine;

    mine->state = sg_value_claimed;
    mine->from = sg_value_from_absent;
    mine->check.data = record->check;
    mine->check.len = SG_VALUE_CHECK;
    mine->fingerprint.data = record->fingerprint;
    mine->fingerprint.len = SG_VALUE_FINGERPRINT;
    mine->token.data = record->token;
    mine->token.len = SG_VALUE_TOKEN;
    mine->ttl = record->ttl->msec;
    mine->lease = record->lease;

    (void) sg_value_head(record->claim, mine);

    return NGX_OK;
}


ngx_redis_command_t *
ngx_redis_record_claim(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_uint_t           needs;
    ngx_redis_script_t  *script;

    ngx_str_set(&record->verb, "claim");

    if (limits && limits->n) {
        script = &ngx_redis_limited_script;
        needs = 0;

    } else {
        script = &ngx_redis_claim_script;
        limits = NULL;
        needs = record->claimed ? 0 : NGX_REDIS_SET_NX_GET;
    }

    record->limits = limits;
    record->claimed = 1;

    ngx_memcpy(record->head, record->claim, SG_VALUE_HEAD);
    record->head_len = SG_VALUE_HEAD;

    return ngx_redis_record_ask(record, ngx_redis_asked_claim, script, needs,
                                handler, data);
}


ngx_redis_command_t *
ngx_redis_record_renew(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_set(&record->verb, "renew");
    ngx_str_null(&record->headers);
    ngx_str_null(&record->body);

    ngx_memcpy(record->head, record->claim, SG_VALUE_HEAD);
    record->head_len = SG_VALUE_HEAD;

    return ngx_redis_record_ask(record, ngx_redis_asked_change,
                                &ngx_redis_renew_script, 0, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_complete(ngx_redis_record_t *record, ngx_uint_t status,
    ngx_str_t *headers, ngx_str_t *body, ngx_redis_record_handler_pt handler,
    void *data)
{
    sg_value_t  value;

    value = record->mine;
    value.state = sg_value_answered;
    value.status = (unsigned) status;
    value.headers.len = headers->len;
    value.body.len = body->len - record->items;
    value.sealed = (record->items != 0);

    record->headers = *headers;
    record->body = *body;

    return ngx_redis_record_settle(record, &value, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_bury(ngx_redis_record_t *record, ngx_uint_t status,
    ngx_redis_record_handler_pt handler, void *data)
{
    sg_value_t  value;

    value = record->mine;
    value.state = sg_value_tombstone;
    value.status = (unsigned) status;

    ngx_str_null(&record->headers);
    ngx_str_null(&record->body);

    return ngx_redis_record_settle(record, &value, handler, data);
}


static ngx_redis_command_t *
ngx_redis_record_settle(ngx_redis_record_t *record, sg_value_t *value,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_uint_t  needs;

    ngx_str_null(&record->verb);

    record->head_len = sg_value_head(record->head, value);

    needs = (record->straight && !record->settled) ? NGX_REDIS_SET_IFEQ : 0;

    record->settled = 1;

    return ngx_redis_record_ask(record, ngx_redis_asked_change,
                                &ngx_redis_settle_script, needs, handler,
                                data);
}


ngx_redis_command_t *
ngx_redis_record_give_back(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_set(&record->verb, "give_back");

    return ngx_redis_record_drop(record, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_unknown(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_set(&record->verb, "unknown");

    return ngx_redis_record_drop(record, handler, data);
}


static ngx_redis_command_t *
ngx_redis_record_drop(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    sg_value_t  value;

    value = record->mine;
    value.state = sg_value_unknown;

    ngx_str_null(&record->headers);
    ngx_str_null(&record->body);

    record->head_len = sg_value_head(record->head, &value);

    return ngx_redis_record_ask(record, ngx_redis_asked_change,
                                &ngx_redis_drop_script, 0, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_spend(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_str_set(&record->verb, "spend");

    record->limits = limits;

    return ngx_redis_record_ask(record, ngx_redis_asked_spend,
                                &ngx_redis_spend_script, 0, handler, data);
}


/* "needs": what the straight way takes; 0: there is none */

static ngx_redis_command_t *
ngx_redis_record_ask(ngx_redis_record_t *record, ngx_redis_asked_e asked,
    ngx_redis_script_t *script, ngx_uint_t needs,
    ngx_redis_record_handler_pt handler, void *data)
{
    record->asked = asked;
    record->script = script;
    record->handler = handler;
    record->data = data;

    return ngx_redis_ask(record->redis, &ngx_redis_record_asker, record,
                         needs ? (ngx_uint_t) ngx_redis_form_straight
                               : (ngx_uint_t) ngx_redis_form_script,
                         needs, &record->options);
}


static ngx_uint_t
ngx_redis_record_next(void *data, ngx_uint_t form, const redisReply *reply)
{
    ngx_redis_record_t *record = data;

    ngx_uint_t         next;
    ngx_redis_own_t    own;
    ngx_redis_words_t  words;

    own.claim = &record->mine;
    own.hold = (record->hold != 0);

    next = ngx_redis_straight_next(reply, record->asked, form, &own,
                                   &record->seen);

    if (next == ngx_redis_form_read && form != next) {

        /* what is said in the end is about a reading */

        words.len = 0;
        ngx_redis_words_error(reply, &words);
        ngx_redis_record_log(record, ngx_redis_said_error, &words);
    }

    return next;
}


static void
ngx_redis_record_done(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_record_t *record = data;

    ngx_redis_own_t           own;
    ngx_redis_said_e          said;
    ngx_redis_words_t         words;
    ngx_redis_record_reply_t  decoded;

    if (reply == NULL) {
        ngx_memzero(&decoded, sizeof(ngx_redis_record_reply_t));

        decoded.verdict = (rc == NGX_ABORT) ? ngx_redis_record_lost
                                            : ngx_redis_record_failed;

    } else {
        own.claim = &record->mine;
        own.hold = (record->hold != 0);

        said = (record->seen.form == ngx_redis_form_script)
               ? ngx_redis_verdict(reply, record->asked, &own, &decoded,
                                   &words)
               : ngx_redis_straight_verdict(reply, record->asked, &own,
                                            &record->seen, &decoded, &words);

        if (record->asked == ngx_redis_asked_claim) {
            record->straight = (rc == NGX_OK && decoded.straight);
        }

        /* one that is asked otherwise now; the map has told about it */

        if (!(decoded.apart && ngx_redis_sharded(record->redis))) {
            ngx_redis_record_log(record, said, &words);
        }

        if (rc == NGX_ABORT && decoded.verdict == ngx_redis_record_ok) {

            /* done, but a failover might undo it: as if nobody knew */

            decoded.verdict = ngx_redis_record_lost;
        }
    }

    record->handler(record->data, &decoded);    /* may free the record */
}


static void
ngx_redis_record_log(ngx_redis_record_t *record, ngx_redis_said_e said,
    ngx_redis_words_t *words)
{
    ngx_str_t  text;

    text.len = words->len;
    text.data = (u_char *) words->data;

    switch (said) {

    case ngx_redis_said_verdict:
        break;

    case ngx_redis_said_error:
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "redis node \"%V\" refused a record command with \"%V\"",
                      ngx_redis_name(record->redis), &text);
        break;

    case ngx_redis_said_unreadable:
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "redis node \"%V\" holds a record that cannot be read, "
                      "its \"%V\" is not understood",
                      ngx_redis_name(record->redis), &text);
        break;

    case ngx_redis_said_nonsense:
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "redis node \"%V\" sent an unexpected reply "
                      "to a record command",
                      ngx_redis_name(record->redis));
        break;
    }
}
