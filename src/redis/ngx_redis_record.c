
/*
 * The commands of record.lua and spend.lua, and what is made of their verdicts.
 */


#include "ngx_redis_record.h"
#include "ngx_redis_limit_lua.h"        /* each made from its .lua */
#include "ngx_redis_record_lua.h"
#include "ngx_redis_spend_lua.h"


/* of what a peer sent, no more than this goes to the log */
#define NGX_REDIS_RECORD_WORD  16


typedef struct {
    ngx_str_t                    word;
    size_t                       elements;      /* the word included */
    ngx_redis_record_verdict_e   verdict;
} ngx_redis_record_word_t;


static ngx_redis_command_t *ngx_redis_record_send(ngx_redis_record_t *record,
    ngx_str_t *argv, ngx_uint_t argc, ngx_redis_handler_pt done,
    ngx_redis_record_handler_pt handler, void *data);
static ngx_redis_command_t *ngx_redis_record_eval(ngx_redis_record_t *record,
    ngx_redis_script_t *script, ngx_uint_t nkeys, ngx_str_t *argv,
    ngx_uint_t argc, ngx_redis_handler_pt done,
    ngx_redis_record_handler_pt handler, void *data);
static void ngx_redis_record_set_time(ngx_str_t *arg, u_char *text,
    ngx_msec_t time);
static void ngx_redis_record_claimed(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_record_changed(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_record_spent(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_record_done(ngx_redis_record_t *record,
    ngx_redis_record_word_t *words, ngx_int_t rc, const redisReply *reply);
static ngx_int_t ngx_redis_record_decode(ngx_redis_record_word_t *words,
    const redisReply *reply, ngx_redis_record_reply_t *decoded);
static ngx_int_t ngx_redis_record_decode_values(const redisReply *reply,
    size_t elements, ngx_redis_record_reply_t *decoded);
static ngx_redis_record_verdict_e ngx_redis_record_refused(
    ngx_redis_record_t *record, const redisReply *reply);
static ngx_str_t ngx_redis_record_first_word(const redisReply *reply);
static ngx_uint_t ngx_redis_record_is(const redisReply *reply,
    ngx_str_t *word);


ngx_redis_script_t  ngx_redis_record_script = {
    "record", NGX_REDIS_LIMIT_LUA NGX_REDIS_RECORD_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_spend_script = {
    "spend", NGX_REDIS_LIMIT_LUA NGX_REDIS_SPEND_LUA, { 0 }
};


static ngx_redis_record_word_t  ngx_redis_record_claim_words[] = {
    { ngx_string("ok"), 1, ngx_redis_record_ok },
    { ngx_string("replay"), 4, ngx_redis_record_replay },
    { ngx_string("tombstone"), 2, ngx_redis_record_tombstone },
    { ngx_string("in_progress"), 2, ngx_redis_record_in_progress },
    { ngx_string("mismatch"), 1, ngx_redis_record_mismatch },
    { ngx_string("held"), 1, ngx_redis_record_held },
    { ngx_string("limited"), 1, ngx_redis_record_limited },
    { ngx_null_string, 0, ngx_redis_record_failed }
};


static ngx_redis_record_word_t  ngx_redis_record_change_words[] = {
    { ngx_string("ok"), 1, ngx_redis_record_ok },
    { ngx_string("stale"), 1, ngx_redis_record_stale },
    { ngx_null_string, 0, ngx_redis_record_failed }
};


static ngx_redis_record_word_t  ngx_redis_record_spend_words[] = {
    { ngx_string("ok"), 1, ngx_redis_record_ok },
    { ngx_string("limited"), 1, ngx_redis_record_limited },
    { ngx_null_string, 0, ngx_redis_record_failed }
};


static ngx_str_t  ngx_redis_record_unreadable_word = ngx_string("unreadable");


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

    argc = ngx_redis_limits_add(limits, argv, argc);

    return ngx_redis_record_eval(record, &ngx_redis_record_script,
                                 1 + (limits ? limits->n : 0), argv, argc,
                                 ngx_redis_record_claimed, handler, data);
}


ngx_redis_command_t *
ngx_redis_record_renew(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[4];

    ngx_str_set(&argv[1], "renew");
    argv[2] = record->token;
    ngx_redis_record_set_time(&argv[3], record->lease_text, record->lease);

    return ngx_redis_record_send(record, argv, 4, ngx_redis_record_changed,
                                 handler, data);
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

    return ngx_redis_record_send(record, argv, 8, ngx_redis_record_changed,
                                 handler, data);
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

    return ngx_redis_record_send(record, argv, 6, ngx_redis_record_changed,
                                 handler, data);
}


ngx_redis_command_t *
ngx_redis_record_give_back(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[3];

    ngx_str_set(&argv[1], "give_back");
    argv[2] = record->token;

    return ngx_redis_record_send(record, argv, 3, ngx_redis_record_changed,
                                 handler, data);
}


ngx_redis_command_t *
ngx_redis_record_unknown(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data)
{
    ngx_str_t  argv[3];

    ngx_str_set(&argv[1], "unknown");
    argv[2] = record->token;

    return ngx_redis_record_send(record, argv, 3, ngx_redis_record_changed,
                                 handler, data);
}


ngx_redis_command_t *
ngx_redis_record_spend(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_str_t   argv[2 + NGX_REDIS_LIMITS_ARGC];
    ngx_uint_t  argc;

    ngx_redis_record_set_time(&argv[1], record->ttl_text, record->ttl);

    argc = ngx_redis_limits_add(limits, argv, 2);

    return ngx_redis_record_eval(record, &ngx_redis_spend_script,
                                 1 + limits->n, argv, argc,
                                 ngx_redis_record_spent, handler, data);
}


static ngx_redis_command_t *
ngx_redis_record_send(ngx_redis_record_t *record, ngx_str_t *argv,
    ngx_uint_t argc, ngx_redis_handler_pt done,
    ngx_redis_record_handler_pt handler, void *data)
{
    return ngx_redis_record_eval(record, &ngx_redis_record_script, 1, argv,
                                 argc, done, handler, data);
}


static ngx_redis_command_t *
ngx_redis_record_eval(ngx_redis_record_t *record, ngx_redis_script_t *script,
    ngx_uint_t nkeys, ngx_str_t *argv, ngx_uint_t argc,
    ngx_redis_handler_pt done, ngx_redis_record_handler_pt handler, void *data)
{
    argv[0] = record->name;

    record->handler = handler;
    record->data = data;

    return ngx_redis_eval(record->redis, script, nkeys, argv, argc,
                          &record->options, done, record);
}


static void
ngx_redis_record_set_time(ngx_str_t *arg, u_char *text, ngx_msec_t time)
{
    arg->data = text;
    arg->len = ngx_sprintf(text, "%M", time) - text;
}


static void
ngx_redis_record_claimed(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_record_done(data, ngx_redis_record_claim_words, rc, reply);
}


static void
ngx_redis_record_changed(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_record_done(data, ngx_redis_record_change_words, rc, reply);
}


static void
ngx_redis_record_spent(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_record_done(data, ngx_redis_record_spend_words, rc, reply);
}


static void
ngx_redis_record_done(ngx_redis_record_t *record,
    ngx_redis_record_word_t *words, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_record_reply_t  decoded;

    ngx_memzero(&decoded, sizeof(ngx_redis_record_reply_t));

    if (reply == NULL) {
        decoded.verdict = (rc == NGX_ABORT) ? ngx_redis_record_lost
                                            : ngx_redis_record_failed;

    } else if (ngx_redis_record_decode(words, reply, &decoded) != NGX_OK) {
        ngx_memzero(&decoded, sizeof(ngx_redis_record_reply_t));
        decoded.verdict = ngx_redis_record_refused(record, reply);

    } else if (rc == NGX_ABORT && decoded.verdict == ngx_redis_record_ok) {

        /* done, but a failover might undo it: as if nobody knew */

        decoded.verdict = ngx_redis_record_lost;
    }

    record->handler(record->data, &decoded);    /* may free the record */
}


static ngx_int_t
ngx_redis_record_decode(ngx_redis_record_word_t *words,
    const redisReply *reply, ngx_redis_record_reply_t *decoded)
{
    size_t                    n;
    ngx_redis_record_word_t  *w;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        return NGX_ERROR;
    }

    n = reply->elements;

    if (reply->element[n - 1]->type == REDIS_REPLY_ARRAY) {

        if (ngx_redis_limits_decode(reply->element[--n], &decoded->limits)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (w = words; w->word.len; w++) {

        if (w->elements == n
            && ngx_redis_record_is(reply->element[0], &w->word))
        {
            decoded->verdict = w->verdict;
            return ngx_redis_record_decode_values(reply, n, decoded);
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_redis_record_decode_values(const redisReply *reply, size_t elements,
    ngx_redis_record_reply_t *decoded)
{
    ngx_uint_t         i;
    ngx_str_t         *values[3];
    const redisReply  *value;

    if (decoded->verdict == ngx_redis_record_in_progress) {
        value = reply->element[1];

        if (value->type != REDIS_REPLY_INTEGER || value->integer < 1) {
            return NGX_ERROR;
        }

        decoded->left = (ngx_msec_t) value->integer;

        return NGX_OK;
    }

    values[0] = &decoded->status;
    values[1] = &decoded->headers;
    values[2] = &decoded->body;

    for (i = 1; i < elements; i++) {
        value = reply->element[i];

        if (value->type != REDIS_REPLY_STRING) {
            return NGX_ERROR;
        }

        values[i - 1]->len = value->len;
        values[i - 1]->data = (u_char *) value->str;
    }

    return NGX_OK;
}


/*
 * Anything but a refusal may mean that something stands under this name: it
 * is never run over.  Older servers wrap the error's code into a text.
 */

static ngx_redis_record_verdict_e
ngx_redis_record_refused(ngx_redis_record_t *record, const redisReply *reply)
{
    ngx_str_t  word;

    if (reply->type == REDIS_REPLY_ERROR) {
        word = ngx_redis_record_first_word(reply);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "redis node \"%V\" refused a record command with \"%V\"",
                      ngx_redis_name(record->redis), &word);

        return ngx_strnstr((u_char *) reply->str, "WRONGTYPE", reply->len)
               ? ngx_redis_record_unreadable : ngx_redis_record_failed;
    }

    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2
        && ngx_redis_record_is(reply->element[0],
                               &ngx_redis_record_unreadable_word))
    {
        word = ngx_redis_record_first_word(reply->element[1]);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "redis node \"%V\" holds a record that cannot be read, "
                      "its field \"%V\" is missing or not understood",
                      ngx_redis_name(record->redis), &word);

    } else {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "redis node \"%V\" sent an unexpected reply "
                      "to a record command",
                      ngx_redis_name(record->redis));
    }

    return ngx_redis_record_unreadable;
}


/* an error's code or a field's name: letters only, or nothing */

static ngx_str_t
ngx_redis_record_first_word(const redisReply *reply)
{
    u_char     ch;
    ngx_str_t  word;

    ngx_str_set(&word, "");

    if (reply->type != REDIS_REPLY_ERROR
        && reply->type != REDIS_REPLY_STRING)
    {
        return word;
    }

    word.data = (u_char *) reply->str;

    while (word.len < ngx_min((size_t) reply->len, NGX_REDIS_RECORD_WORD)) {
        ch = ngx_tolower(word.data[word.len]);

        if (ch < 'a' || ch > 'z') {
            break;
        }

        word.len++;
    }

    return word;
}


static ngx_uint_t
ngx_redis_record_is(const redisReply *reply, ngx_str_t *word)
{
    return reply->type == REDIS_REPLY_STRING
           && (size_t) reply->len == word->len
           && ngx_strncmp(reply->str, word->data, word->len) == 0;
}
