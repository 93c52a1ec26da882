
/*
 * A command's words, in the form in which they are written, and what its reply
 * has to look like.
 */


#include "redis/transport/ngx_redis_command.h"
#include "redis/reply/ngx_redis_slot.h"


static ngx_redis_command_t *ngx_redis_command_alloc(ngx_log_t *log,
    ngx_uint_t argc);
static ngx_int_t ngx_redis_command_format(ngx_redis_command_t *cmd);
static void ngx_redis_command_free_text(ngx_redis_command_t *cmd);
static void ngx_redis_command_prove(ngx_redis_command_t *cmd, ngx_str_t *word,
    ngx_str_t *token);


static ngx_str_t  ngx_redis_asking = ngx_string("*1" CRLF "$6" CRLF
                                                "ASKING" CRLF);


ngx_redis_command_t *
ngx_redis_command_create(ngx_log_t *log, ngx_redis_script_t *script,
    ngx_uint_t nkeys, ngx_str_t *argv, ngx_uint_t argc)
{
    ngx_uint_t            i;
    ngx_redis_command_t  *cmd;

    /* EVALSHA, the script, the number of keys */

    cmd = ngx_redis_command_alloc(log, 3 + argc);
    if (cmd == NULL) {
        return NULL;
    }

    cmd->script = script;
    cmd->slot = nkeys ? ngx_redis_slot(argv[0].data, argv[0].len) : 0;

    cmd->argv[0] = "EVALSHA";
    cmd->argvlen[0] = sizeof("EVALSHA") - 1;

    cmd->argv[1] = (const char *) script->sha1;
    cmd->argvlen[1] = sizeof(script->sha1);

    cmd->argv[2] = (const char *) cmd->nkeys;
    cmd->argvlen[2] = ngx_sprintf(cmd->nkeys, "%ui", nkeys) - cmd->nkeys;

    for (i = 0; i < argc; i++) {
        cmd->argv[3 + i] = (const char *) argv[i].data;
        cmd->argvlen[3 + i] = argv[i].len;
    }

    for (i = 1; i < nkeys; i++) {
        cmd->several |= (argv[i].len != argv[0].len
                         || ngx_memcmp(argv[i].data, argv[0].data, argv[0].len)
                            != 0);
    }

    ngx_redis_command_prove(cmd, &argv[nkeys], &argv[nkeys + 1]);

    if (ngx_redis_command_format(cmd) != NGX_OK) {
        ngx_free(cmd);
        return NULL;
    }

    return cmd;
}


ngx_redis_command_t *
ngx_redis_command_words(ngx_log_t *log, const char **words,
    ngx_uint_t n)
{
    ngx_uint_t            i;
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_command_alloc(log, n);
    if (cmd == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        cmd->argv[i] = words[i];
        cmd->argvlen[i] = ngx_strlen(words[i]);
    }

    cmd->expect = ngx_redis_expect(words, n);

    if (ngx_redis_command_format(cmd) != NGX_OK) {
        ngx_free(cmd);
        return NULL;
    }

    return cmd;
}


ngx_redis_command_t *
ngx_redis_command_place(ngx_log_t *log, ngx_redis_command_t *cmd)
{
    ngx_redis_command_t  *place;

    place = ngx_redis_command_alloc(log, 0);
    if (place == NULL) {
        return NULL;
    }

    place->place = 1;
    place->timeout = cmd->timeout;
    place->asking = cmd->asking;
    place->asked = cmd->asked;

    place->expect = cmd->expect;
    place->proof_len = cmd->proof_len;
    ngx_memcpy(place->proof, cmd->proof, cmd->proof_len);

    return place;
}


static ngx_redis_command_t *
ngx_redis_command_alloc(ngx_log_t *log, ngx_uint_t argc)
{
    ngx_redis_command_t  *cmd;

    cmd = ngx_calloc(sizeof(ngx_redis_command_t)
                     + argc * (sizeof(char *) + sizeof(size_t)),
                     log);
    if (cmd == NULL) {
        return NULL;
    }

    ngx_queue_init(&cmd->queue);

    cmd->ident = -1;
    cmd->deadline.log = log;
    cmd->link.buf = &cmd->buf;

    cmd->argc = argc;
    cmd->argv = (const char **) &cmd[1];
    cmd->argvlen = (size_t *) &cmd->argv[argc];

    return cmd;
}


static ngx_int_t
ngx_redis_command_format(ngx_redis_command_t *cmd)
{
    sds       resp;
    u_char   *p;
    ssize_t   len;

    /* hiredis' other formatter calls sprintf() for each word */

    len = redisFormatSdsCommandArgv(&resp, cmd->argc, cmd->argv, cmd->argvlen);

    if (len < 0) {
        ngx_log_error(NGX_LOG_CRIT, cmd->deadline.log, 0,
                      "redisFormatSdsCommandArgv() failed");
        return NGX_ERROR;
    }

    p = (u_char *) resp;

    if (cmd->asking) {

        /* in one piece: nothing else may come to stand between the two */

        p = ngx_alloc(ngx_redis_asking.len + len, cmd->deadline.log);

        if (p) {
            ngx_memcpy(p, ngx_redis_asking.data, ngx_redis_asking.len);
            ngx_memcpy(p + ngx_redis_asking.len, resp, len);
            len += ngx_redis_asking.len;
        }

        redisFreeSdsCommand(resp);

        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_redis_command_free_text(cmd);

    cmd->own = cmd->asking;

    cmd->buf.start = p;
    cmd->buf.last = p + len;
    cmd->buf.temporary = 1;
    cmd->buf.flush = 1;                 /* TLS collects until then */

    ngx_redis_command_rewind(cmd);

    return NGX_OK;
}


static void
ngx_redis_command_free_text(ngx_redis_command_t *cmd)
{
    if (cmd->buf.start == NULL) {
        return;
    }

    if (cmd->own) {
        ngx_free(cmd->buf.start);

    } else {
        redisFreeSdsCommand((sds) cmd->buf.start);
    }
}


void
ngx_redis_command_rewind(ngx_redis_command_t *cmd)
{
    cmd->buf.pos = cmd->buf.start;
    cmd->asked = 0;
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


/* kept apart: the caller's bytes are not there for a reply that comes late */

static void
ngx_redis_command_prove(ngx_redis_command_t *cmd, ngx_str_t *word,
    ngx_str_t *token)
{
    u_char  *p;

    p = ngx_cpymem(cmd->proof, word->data,
                   ngx_min(word->len, NGX_REDIS_PROOF - NGX_REDIS_PROOF_TOKEN));
    p = ngx_cpymem(p, token->data, ngx_min(token->len, NGX_REDIS_PROOF_TOKEN));

    cmd->proof_len = p - cmd->proof;
    cmd->expect = ngx_redis_expect_proof;
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
           && cmd->script
           && !cmd->eval
           && reply->type == REDIS_REPLY_ERROR
           && ngx_strncmp(reply->str, "NOSCRIPT", sizeof("NOSCRIPT") - 1) == 0;
}


ngx_int_t
ngx_redis_command_eval(ngx_redis_command_t *cmd)
{
    cmd->argv[0] = "EVAL";
    cmd->argvlen[0] = sizeof("EVAL") - 1;

    cmd->argv[1] = cmd->script->source;
    cmd->argvlen[1] = ngx_strlen(cmd->script->source);

    if (ngx_redis_command_format(cmd) != NGX_OK) {
        return NGX_ERROR;
    }

    cmd->eval = 1;

    return NGX_OK;
}


void
ngx_redis_command_free(ngx_redis_command_t *cmd)
{
    if (cmd->deadline.timer_set) {
        ngx_del_timer(&cmd->deadline);
    }

    if (cmd->reply) {
        freeReplyObject(cmd->reply);
    }

    ngx_redis_command_free_text(cmd);
    ngx_free(cmd);
}
