
/*
 * A command: made once, asked in one form or another, and freed.
 */


#include "redis/transport/ngx_redis_command.h"
#include "redis/transport/ngx_redis_format.h"
#include "redis/reply/ngx_redis_slot.h"
#include "worker/ngx_segments_block.h"


static void ngx_redis_command_init(ngx_redis_command_t *cmd, ngx_log_t *log);
static ngx_int_t ngx_redis_command_format(ngx_redis_command_t *cmd);


ngx_redis_command_t *
ngx_redis_command_create(ngx_log_t *log, const ngx_redis_asker_t *asker,
    void *data, ngx_uint_t form, ngx_uint_t needs, ngx_uint_t sharded)
{
    u_char               *p;
    size_t                size;
    ngx_redis_phrase_t    phrase;
    ngx_redis_command_t  *cmd, first;

    first.asker = asker;
    first.data = data;
    first.form = form;
    first.eval = 0;
    first.asking = 0;

    ngx_redis_format_phrase(&first, &phrase);

    size = ngx_redis_format_size(&first, &phrase);

    p = ngx_segments_block_alloc(sizeof(ngx_redis_command_t) + size, log);
    if (p == NULL) {
        return NULL;
    }

    cmd = (ngx_redis_command_t *) p;

    ngx_redis_command_init(cmd, log);

    cmd->asker = asker;
    cmd->data = data;
    cmd->form = form;
    cmd->needs = needs;

    if (sharded) {
        cmd->slot = ngx_redis_slot(phrase.word[phrase.key].data,
                                   phrase.word[phrase.key].len);
    }

    ngx_redis_format(cmd, &phrase, p + sizeof(ngx_redis_command_t));

    return cmd;
}


ngx_redis_command_t *
ngx_redis_command_words(ngx_log_t *log, const char **words, ngx_uint_t n)
{
    u_char               *p;
    ngx_uint_t            i;
    ngx_redis_phrase_t    phrase;
    ngx_redis_command_t  *cmd;

    phrase.script = NULL;
    phrase.several = 0;
    phrase.n = n;
    phrase.parted = NGX_REDIS_WORDS;
    phrase.tail.n = 0;
    phrase.tail.text.len = 0;
    phrase.expect = ngx_redis_expect(words, n);
    phrase.proof_len = 0;

    for (i = 0; i < n; i++) {
        phrase.word[i].data = (u_char *) words[i];
        phrase.word[i].len = ngx_strlen(words[i]);
    }

    p = ngx_segments_block_alloc(sizeof(ngx_redis_command_t)
                                 + ngx_redis_format_size(NULL, &phrase), log);
    if (p == NULL) {
        return NULL;
    }

    cmd = (ngx_redis_command_t *) p;

    ngx_redis_command_init(cmd, log);
    ngx_redis_format(cmd, &phrase, p + sizeof(ngx_redis_command_t));

    return cmd;
}


ngx_redis_command_t *
ngx_redis_command_place(ngx_log_t *log, ngx_redis_command_t *cmd)
{
    ngx_redis_command_t  *place;

    place = ngx_segments_block_alloc(sizeof(ngx_redis_command_t), log);
    if (place == NULL) {
        return NULL;
    }

    ngx_redis_command_init(place, log);

    place->place = 1;
    place->form = cmd->form;
    place->timeout = cmd->timeout;
    place->asking = cmd->asking;
    place->asked = cmd->asked;

    place->expect = cmd->expect;
    place->proof_len = cmd->proof_len;
    ngx_memcpy(place->proof, cmd->proof, cmd->proof_len);

    return place;
}


static void
ngx_redis_command_init(ngx_redis_command_t *cmd, ngx_log_t *log)
{
    ngx_memzero(cmd, sizeof(ngx_redis_command_t));

    ngx_queue_init(&cmd->queue);

    cmd->log = log;
    cmd->link.buf = &cmd->buf;
}


/* anew, as the command now is to be asked */

static ngx_int_t
ngx_redis_command_format(ngx_redis_command_t *cmd)
{
    u_char              *p;
    ngx_redis_phrase_t   phrase;

    ngx_redis_format_phrase(cmd, &phrase);

    p = ngx_segments_block_alloc(ngx_redis_format_size(cmd, &phrase), cmd->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (cmd->own) {
        ngx_segments_block_free(cmd->buf.start);
    }

    cmd->own = 1;

    ngx_redis_format(cmd, &phrase, p);

    return NGX_OK;
}


/* without memory it is sent as it was: it is told by what comes of it that it
   was sent before */

void
ngx_redis_command_rewind(ngx_redis_command_t *cmd)
{
    cmd->buf.pos = cmd->buf.start;
    cmd->asked = 0;

    if (cmd->handler && cmd->written) {
        (void) ngx_redis_command_form(cmd, NGX_REDIS_SCRIPT);
    }
}


ngx_int_t
ngx_redis_command_form(ngx_redis_command_t *cmd, ngx_uint_t form)
{
    ngx_uint_t  before;

    if (cmd->asker == NULL || cmd->form == form) {
        return NGX_OK;
    }

    before = cmd->form;
    cmd->form = form;

    if (ngx_redis_command_format(cmd) != NGX_OK) {
        cmd->form = before;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_redis_command_asking(ngx_redis_command_t *cmd, ngx_uint_t on)
{
    if (cmd->asking == on) {
        return NGX_OK;
    }

    cmd->asking = on;

    if (ngx_redis_command_format(cmd) != NGX_OK) {
        cmd->asking = !on;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_redis_command_answered(ngx_redis_command_t *cmd, const redisReply *reply)
{
    if (cmd->asking && !cmd->asked) {
        return ngx_redis_expect_fits(reply, ngx_redis_expect_ok, NULL, 0);
    }

    return ngx_redis_expect_fits(reply, cmd->expect, cmd->proof,
                                cmd->proof_len);
}


ngx_uint_t
ngx_redis_script_missing(ngx_redis_command_t *cmd, const redisReply *reply)
{
    return cmd->handler
           && cmd->asker
           && cmd->form == NGX_REDIS_SCRIPT
           && !cmd->eval
           && reply->type == REDIS_REPLY_ERROR
           && ngx_strncmp(reply->str, "NOSCRIPT", sizeof("NOSCRIPT") - 1) == 0;
}


ngx_int_t
ngx_redis_command_eval(ngx_redis_command_t *cmd)
{
    cmd->eval = 1;

    if (ngx_redis_command_format(cmd) != NGX_OK) {
        cmd->eval = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_redis_command_free(ngx_redis_command_t *cmd)
{
    ngx_segments_timer_del(&cmd->deadline);

    if (cmd->reply) {
        freeReplyObject(cmd->reply);
    }

    if (cmd->own) {
        ngx_segments_block_free(cmd->buf.start);
    }

    ngx_segments_block_free(cmd);
}
