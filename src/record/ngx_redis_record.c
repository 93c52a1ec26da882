
/*
 * The commands of record.lua and spend.lua.
 */


#include "record/ngx_redis_record.h"
#include "ngx_redis_limit_lua.h"        /* each made from its .lua */
#include "ngx_redis_record_lua.h"
#include "ngx_redis_spend_lua.h"


static ngx_redis_command_t *ngx_redis_record_change(
    ngx_redis_record_t *record, ngx_str_t *argv, ngx_uint_t argc,
    ngx_redis_record_handler_pt handler, void *data);
static ngx_redis_command_t *ngx_redis_record_eval(ngx_redis_record_t *record,
    ngx_redis_script_t *script, const ngx_redis_limits_t *limits,
    ngx_str_t *argv, ngx_uint_t argc, ngx_redis_record_handler_pt handler,
    void *data);
static void ngx_redis_record_set_time(ngx_str_t *arg, u_char *text,
    ngx_msec_t time);
static void ngx_redis_record_done(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_record_log(ngx_redis_record_t *record,
    ngx_redis_said_e said, ngx_redis_words_t *words);


ngx_redis_script_t  ngx_redis_record_script = {
    "record", NGX_REDIS_LIMIT_LUA NGX_REDIS_RECORD_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_spend_script = {
    "spend", NGX_REDIS_LIMIT_LUA NGX_REDIS_SPEND_LUA, { 0 }
};


ngx_redis_command_t *
ngx_redis_record_claim(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_str_t   argv[8 + NGX_REDIS_LIMITS_ARGC];
    ngx_uint_t  argc;

    ngx_str_set(&argv[1], "claim");
    argv[2] = record->token;
    argv[3] = record->fingerprint;
    ngx_redis_record_set_time(&argv[4], record->lease_text, record->lease);
    ngx_redis_record_set_time(&argv[5], record->ttl_text, record->ttl);

    if (record->hold) {
        ngx_str_set(&argv[6], "hold");

    } else {
        ngx_str_set(&argv[6], "retry");
    }

    argc = 7;

    if (record->channel.len) {
        argv[argc++] = record->channel;
    }

    record->asked = ngx_redis_asked_claim;

    return ngx_redis_record_eval(record, &ngx_redis_record_script, limits, argv,
                                 argc, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_renew(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[4];

    ngx_str_set(&argv[1], "renew");
    argv[2] = record->token;
    ngx_redis_record_set_time(&argv[3], record->lease_text, record->lease);

    return ngx_redis_record_change(record, argv, 4, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_complete(ngx_redis_record_t *record, ngx_str_t *status,
    ngx_str_t *headers, ngx_str_t *body, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_str_t  argv[8];

    ngx_str_set(&argv[1], "complete");
    argv[2] = record->token;
    argv[3] = record->fingerprint;
    ngx_redis_record_set_time(&argv[4], record->ttl_text, record->ttl);
    argv[5] = *status;
    argv[6] = *headers;
    argv[7] = *body;

    return ngx_redis_record_change(record, argv, 8, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_bury(ngx_redis_record_t *record, ngx_str_t *status,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[6];

    ngx_str_set(&argv[1], "bury");
    argv[2] = record->token;
    argv[3] = record->fingerprint;
    ngx_redis_record_set_time(&argv[4], record->ttl_text, record->ttl);
    argv[5] = *status;

    return ngx_redis_record_change(record, argv, 6, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_give_back(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[3];

    ngx_str_set(&argv[1], "give_back");
    argv[2] = record->token;

    return ngx_redis_record_change(record, argv, 3, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_unknown(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[3];

    ngx_str_set(&argv[1], "unknown");
    argv[2] = record->token;

    return ngx_redis_record_change(record, argv, 3, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_spend(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_str_t  argv[4 + NGX_REDIS_LIMITS_ARGC];

    ngx_str_set(&argv[1], "spend");
    argv[2] = record->token;
    ngx_redis_record_set_time(&argv[3], record->ttl_text, record->ttl);

    record->asked = ngx_redis_asked_spend;

    return ngx_redis_record_eval(record, &ngx_redis_spend_script, limits, argv,
                                 4, handler, data);
}


static ngx_redis_command_t *
ngx_redis_record_change(ngx_redis_record_t *record, ngx_str_t *argv,
    ngx_uint_t argc, ngx_redis_record_handler_pt handler, void *data)
{
    record->asked = ngx_redis_asked_change;

    return ngx_redis_record_eval(record, &ngx_redis_record_script, NULL, argv,
                                 argc, handler, data);
}


static ngx_redis_command_t *
ngx_redis_record_eval(ngx_redis_record_t *record, ngx_redis_script_t *script,
    const ngx_redis_limits_t *limits, ngx_str_t *argv, ngx_uint_t argc,
    ngx_redis_record_handler_pt handler, void *data)
{
    argv[0] = record->name;
    argc = ngx_redis_limits_add(limits, argv, argc);

    record->handler = handler;
    record->data = data;

    return ngx_redis_eval(record->redis, script, 1 + (limits ? limits->n : 0),
                          argv, argc, &record->options, ngx_redis_record_done,
                          record);
}


static void
ngx_redis_record_set_time(ngx_str_t *arg, u_char *text, ngx_msec_t time)
{
    arg->data = text;
    arg->len = ngx_sprintf(text, "%M", time) - text;
}


static void
ngx_redis_record_done(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_record_t *record = data;

    ngx_redis_said_e          said;
    ngx_redis_words_t         words;
    ngx_redis_record_reply_t  decoded;

    if (reply == NULL) {
        ngx_memzero(&decoded, sizeof(ngx_redis_record_reply_t));

        decoded.verdict = (rc == NGX_ABORT) ? ngx_redis_record_lost
                                            : ngx_redis_record_failed;

    } else {
        said = ngx_redis_verdict(reply, record->asked, &decoded, &words);

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
                      "its field \"%V\" is missing or not understood",
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
