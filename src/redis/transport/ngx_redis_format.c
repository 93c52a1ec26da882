
/*
 * A command's words, in the form in which they are written.
 */


#include "redis/transport/ngx_redis_format.h"


static ngx_inline size_t ngx_redis_format_counts(size_t words, size_t digits);
static u_char *ngx_redis_format_script(ngx_redis_command_t *cmd,
    ngx_redis_phrase_t *phrase, u_char *p);
static ngx_inline u_char *ngx_redis_format_word(u_char *p, const void *data,
    size_t len);
static ngx_inline u_char *ngx_redis_format_count(u_char *p, u_char type,
    size_t n);
static ngx_inline u_char *ngx_redis_format_number(u_char *p, size_t n);
static void ngx_redis_format_prove(ngx_redis_phrase_t *phrase);


static ngx_str_t  ngx_redis_asking = ngx_string("*1" CRLF "$6" CRLF
                                                "ASKING" CRLF);


void
ngx_redis_format_phrase(ngx_redis_command_t *cmd, ngx_redis_phrase_t *phrase)
{
    phrase->script = NULL;
    phrase->nkeys = 0;
    phrase->key = 0;
    phrase->several = 0;
    phrase->n = 0;
    phrase->parted = NGX_REDIS_WORDS;
    phrase->tail.n = 0;
    phrase->tail.text.len = 0;
    phrase->expect = ngx_redis_expect_any;
    phrase->proof_len = 0;

    cmd->asker->words(cmd->data, cmd->form, phrase);

    if (phrase->script && phrase->proof_len == 0) {
        ngx_redis_format_prove(phrase);
    }
}


/* what to do, and some bytes of a token; kept apart: the caller's bytes are not
   there for a reply that comes late */

static void
ngx_redis_format_prove(ngx_redis_phrase_t *phrase)
{
    u_char     *p;
    ngx_str_t  *word, *token;

    word = &phrase->word[phrase->nkeys];
    token = word + 1;

    p = ngx_cpymem(phrase->proof, word->data,
                   ngx_min(word->len, NGX_REDIS_PROOF - NGX_REDIS_PROOF_TOKEN));
    p = ngx_cpymem(p, token->data, ngx_min(token->len, NGX_REDIS_PROOF_TOKEN));

    phrase->proof_len = p - phrase->proof;
    phrase->expect = ngx_redis_expect_proof;
}


size_t
ngx_redis_format_size(ngx_redis_command_t *cmd, ngx_redis_phrase_t *phrase)
{
    size_t      len, words;
    ngx_uint_t  i;

    len = phrase->tail.text.len;
    words = phrase->n;

    for (i = 0; i < phrase->n; i++) {
        len += phrase->word[i].len;
    }

    if (phrase->parted < phrase->n) {
        len += phrase->rest[0].len + phrase->rest[1].len;
    }

    if (phrase->script) {

        /* the command, the script, the number of keys */

        words += 3;
        len += NGX_REDIS_EVALSHA_LEN + NGX_INT_T_LEN;

        if (cmd->eval) {
            len += ngx_strlen(phrase->script->source);
        }
    }

    if (cmd && cmd->asking) {
        len += ngx_redis_asking.len;
    }

    /* most fit a small block with their command */

    return ngx_redis_format_counts(words, len < 1000 ? 3 : NGX_SIZE_T_LEN)
           + len;
}


/* what is written besides the words themselves, where no number has more
   digits */

static ngx_inline size_t
ngx_redis_format_counts(size_t words, size_t digits)
{
    return 1 + digits + 2 + words * (1 + digits + 2 + 2);
}


void
ngx_redis_format(ngx_redis_command_t *cmd, ngx_redis_phrase_t *phrase,
    u_char *p)
{
    ngx_uint_t  i;
    ngx_str_t  *word;

    cmd->script = phrase->script;
    cmd->several = phrase->several;
    cmd->expect = phrase->expect;
    cmd->proof_len = phrase->proof_len;
    ngx_memcpy(cmd->proof, phrase->proof, phrase->proof_len);

    cmd->buf.start = p;
    cmd->buf.pos = p;
    cmd->buf.temporary = 1;
    cmd->buf.flush = 1;                 /* TLS collects until then */
    cmd->asked = 0;

    if (cmd->asking) {

        /* in one piece: nothing else may come to stand between the two */

        p = ngx_cpymem(p, ngx_redis_asking.data, ngx_redis_asking.len);
    }

    p = phrase->script ? ngx_redis_format_script(cmd, phrase, p)
                       : ngx_redis_format_count(p, '*',
                                                phrase->n + phrase->tail.n);

    for (i = 0; i < phrase->n; i++) {
        word = &phrase->word[i];

        if (i != phrase->parted) {
            p = ngx_redis_format_word(p, word->data, word->len);
            continue;
        }

        p = ngx_redis_format_count(p, '$', word->len + phrase->rest[0].len
                                            + phrase->rest[1].len);
        p = ngx_cpymem(p, word->data, word->len);
        p = ngx_cpymem(p, phrase->rest[0].data, phrase->rest[0].len);
        p = ngx_cpymem(p, phrase->rest[1].data, phrase->rest[1].len);
        *p++ = CR;
        *p++ = LF;
    }

    if (phrase->tail.n) {
        p = ngx_cpymem(p, phrase->tail.text.data, phrase->tail.text.len);
    }

    cmd->buf.last = p;
}


static u_char *
ngx_redis_format_script(ngx_redis_command_t *cmd, ngx_redis_phrase_t *phrase,
    u_char *p)
{
    u_char               nkeys[NGX_INT_T_LEN];
    ngx_redis_script_t  *script;

    script = phrase->script;

    p = ngx_redis_format_count(p, '*', 3 + phrase->n + phrase->tail.n);

    if (cmd->eval) {
        p = ngx_redis_format_word(p, "EVAL", sizeof("EVAL") - 1);
        p = ngx_redis_format_word(p, script->source,
                                  ngx_strlen(script->source));

    } else {
        p = ngx_cpymem(p, script->evalsha, NGX_REDIS_EVALSHA_LEN);
    }

    return ngx_redis_format_word(p, nkeys,
                                 ngx_redis_format_number(nkeys, phrase->nkeys)
                                 - nkeys);
}


static ngx_inline u_char *
ngx_redis_format_word(u_char *p, const void *data, size_t len)
{
    p = ngx_redis_format_count(p, '$', len);
    p = ngx_cpymem(p, data, len);
    *p++ = CR;
    *p++ = LF;

    return p;
}


static ngx_inline u_char *
ngx_redis_format_count(u_char *p, u_char type, size_t n)
{
    *p++ = type;
    p = ngx_redis_format_number(p, n);
    *p++ = CR;
    *p++ = LF;

    return p;
}


/* mostly of one digit or two */

static ngx_inline u_char *
ngx_redis_format_number(u_char *p, size_t n)
{
    u_char  digits[NGX_SIZE_T_LEN], *digit;

    if (n < 10) {
        *p++ = (u_char) ('0' + n);
        return p;
    }

    if (n < 100) {
        *p++ = (u_char) ('0' + n / 10);
        *p++ = (u_char) ('0' + n % 10);
        return p;
    }

    digit = digits + sizeof(digits);

    do {
        *--digit = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    return ngx_cpymem(p, digit, digits + sizeof(digits) - digit);
}
