
/*
 * What a reply to a script says: a word, and the values that belong to it.
 */


#include "record/ngx_redis_verdict.h"

#include <string.h>


#define ngx_redis_verdict_text(word)  { word, sizeof(word) - 1 }

/* whether a text begins with the word, a literal */
#define ngx_redis_begins(s, len, word)                                        \
    ((len) >= sizeof(word) - 1 && memcmp(s, word, sizeof(word) - 1) == 0)


typedef struct {
    ngx_redis_text_t             word;
    size_t                       elements;      /* the word included, the proof
                                                   not */
    ngx_redis_record_verdict_e   verdict;
} ngx_redis_verdict_word_t;


static int ngx_redis_verdict_decode(const redisReply *reply,
    ngx_redis_asked_e asked, ngx_redis_record_reply_t *decoded);
static int ngx_redis_verdict_values(const redisReply *reply, size_t n,
    ngx_redis_record_reply_t *decoded);
static int ngx_redis_verdict_limits(const redisReply *told,
    ngx_redis_limits_reply_t *limits);
static int ngx_redis_verdict_limit(const redisReply *told, size_t i,
    ngx_redis_limit_state_t *state);
static int ngx_redis_verdict_refusal(const ngx_redis_limits_reply_t *limits);
static int ngx_redis_verdict_number(const redisReply *reply, long long min,
    unsigned long long *number);
static int ngx_redis_verdict_is(const redisReply *reply,
    const ngx_redis_text_t *word);
static void ngx_redis_verdict_field(const redisReply *reply,
    ngx_redis_words_t *words);
static void ngx_redis_verdict_error(const redisReply *reply,
    ngx_redis_words_t *words);
static int ngx_redis_verdict_ends(const char *p, const char *end,
    const char *last);
static int ngx_redis_verdict_shown(const char *p, const char *end);


static const ngx_redis_verdict_word_t  ngx_redis_verdict_claim_words[] = {
    { ngx_redis_verdict_text("ok"), 1, ngx_redis_record_ok },
    { ngx_redis_verdict_text("replay"), 4, ngx_redis_record_replay },
    { ngx_redis_verdict_text("tombstone"), 2, ngx_redis_record_tombstone },
    { ngx_redis_verdict_text("in_progress"), 2, ngx_redis_record_in_progress },
    { ngx_redis_verdict_text("mismatch"), 1, ngx_redis_record_mismatch },
    { ngx_redis_verdict_text("held"), 1, ngx_redis_record_held },
    { ngx_redis_verdict_text("limited"), 1, ngx_redis_record_limited },
    { { NULL, 0 }, 0, ngx_redis_record_failed }
};


static const ngx_redis_verdict_word_t  ngx_redis_verdict_change_words[] = {
    { ngx_redis_verdict_text("ok"), 1, ngx_redis_record_ok },
    { ngx_redis_verdict_text("stale"), 1, ngx_redis_record_stale },
    { { NULL, 0 }, 0, ngx_redis_record_failed }
};


static const ngx_redis_verdict_word_t  ngx_redis_verdict_spend_words[] = {
    { ngx_redis_verdict_text("ok"), 1, ngx_redis_record_ok },
    { ngx_redis_verdict_text("limited"), 1, ngx_redis_record_limited },
    { { NULL, 0 }, 0, ngx_redis_record_failed }
};


static const ngx_redis_verdict_word_t  *ngx_redis_verdict_words[] = {
    [ngx_redis_asked_claim] = ngx_redis_verdict_claim_words,
    [ngx_redis_asked_change] = ngx_redis_verdict_change_words,
    [ngx_redis_asked_spend] = ngx_redis_verdict_spend_words
};


static const ngx_redis_text_t  ngx_redis_verdict_limits_words[] = {
    [ngx_redis_limits_read] = ngx_redis_verdict_text("read"),
    [ngx_redis_limits_spent] = ngx_redis_verdict_text("spent"),
    [ngx_redis_limits_refused] = ngx_redis_verdict_text("refused")
};


static const ngx_redis_text_t  ngx_redis_verdict_unreadable =
    ngx_redis_verdict_text("unreadable");


ngx_redis_said_e
ngx_redis_verdict(const redisReply *reply, ngx_redis_asked_e asked,
    ngx_redis_record_reply_t *decoded, ngx_redis_words_t *words)
{
    words->len = 0;

    memset(decoded, 0, sizeof(ngx_redis_record_reply_t));

    if (ngx_redis_verdict_decode(reply, asked, decoded)) {
        return ngx_redis_said_verdict;
    }

    memset(decoded, 0, sizeof(ngx_redis_record_reply_t));

    /*
     * Anything but a refusal may mean that something stands under this name:
     * it is never run over.
     */

    decoded->verdict = ngx_redis_record_unreadable;

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_redis_verdict_error(reply, words);

        /* older servers wrap the error's code into a text, which ends in a zero
           byte, as all of hiredis' do */

        if (strstr(reply->str, "WRONGTYPE") == NULL) {
            decoded->verdict = ngx_redis_record_failed;
        }

        decoded->apart = ngx_redis_begins(reply->str, (size_t) reply->len,
                                          "TRYAGAIN ");
        return ngx_redis_said_error;
    }

    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3
        && ngx_redis_verdict_is(reply->element[1],
                                &ngx_redis_verdict_unreadable))
    {
        ngx_redis_verdict_field(reply->element[2], words);
        return ngx_redis_said_unreadable;
    }

    return ngx_redis_said_nonsense;
}


static int
ngx_redis_verdict_decode(const redisReply *reply, ngx_redis_asked_e asked,
    ngx_redis_record_reply_t *decoded)
{
    size_t                           n;
    const ngx_redis_verdict_word_t  *w;

    /* the proof, which is the connection's to check, and a word */

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2) {
        return 0;
    }

    n = reply->elements;

    if (reply->element[n - 1]->type == REDIS_REPLY_ARRAY
        && !ngx_redis_verdict_limits(reply->element[--n], &decoded->limits))
    {
        return 0;
    }

    for (w = ngx_redis_verdict_words[asked]; w->word.len; w++) {

        if (1 + w->elements == n
            && ngx_redis_verdict_is(reply->element[1], &w->word))
        {
            decoded->verdict = w->verdict;
            return ngx_redis_verdict_values(reply, n, decoded);
        }
    }

    return 0;
}


static int
ngx_redis_verdict_values(const redisReply *reply, size_t n,
    ngx_redis_record_reply_t *decoded)
{
    size_t             i;
    const redisReply  *value;
    ngx_redis_text_t  *values[3];

    if (decoded->verdict == ngx_redis_record_limited) {
        return decoded->limits.verdict == ngx_redis_limits_refused;
    }

    if (decoded->verdict == ngx_redis_record_in_progress) {
        return ngx_redis_verdict_number(reply->element[2], 1, &decoded->left);
    }

    values[0] = &decoded->status;
    values[1] = &decoded->headers;
    values[2] = &decoded->body;

    for (i = 2; i < n; i++) {
        value = reply->element[i];

        if (value->type != REDIS_REPLY_STRING) {
            return 0;
        }

        values[i - 2]->data = value->str;
        values[i - 2]->len = (size_t) value->len;
    }

    return 1;
}


static int
ngx_redis_verdict_limits(const redisReply *told,
    ngx_redis_limits_reply_t *limits)
{
    size_t  i;

    if (told->elements < 3
        || told->elements % 2 == 0
        || told->elements > 1 + 2 * NGX_REDIS_LIMITS_MAX)
    {
        return 0;
    }

    limits->n = told->elements / 2;

    for (i = 0; i < limits->n; i++) {
        if (!ngx_redis_verdict_limit(told, i, &limits->state[i])) {
            return 0;
        }
    }

    for (i = ngx_redis_limits_read; i <= ngx_redis_limits_refused; i++) {

        if (ngx_redis_verdict_is(told->element[0],
                                 &ngx_redis_verdict_limits_words[i]))
        {
            limits->verdict = (ngx_redis_limits_verdict_e) i;

            return limits->verdict != ngx_redis_limits_refused
                   || ngx_redis_verdict_refusal(limits);
        }
    }

    return 0;
}


static int
ngx_redis_verdict_limit(const redisReply *told, size_t i,
    ngx_redis_limit_state_t *state)
{
    return ngx_redis_verdict_number(told->element[1 + 2 * i], 0, &state->left)
           && ngx_redis_verdict_number(told->element[2 + 2 * i], 0,
                                       &state->reset);
}


/* by one of which none is left, for a while: the client is told for how long */

static int
ngx_redis_verdict_refusal(const ngx_redis_limits_reply_t *limits)
{
    size_t  i;

    for (i = 0; i < limits->n; i++) {
        if (limits->state[i].left == 0 && limits->state[i].reset) {
            return 1;
        }
    }

    return 0;
}


static int
ngx_redis_verdict_number(const redisReply *reply, long long min,
    unsigned long long *number)
{
    if (reply->type != REDIS_REPLY_INTEGER
        || reply->integer < min
        || reply->integer > NGX_REDIS_NUMBER_MAX)
    {
        return 0;
    }

    *number = (unsigned long long) reply->integer;

    return 1;
}


static int
ngx_redis_verdict_is(const redisReply *reply, const ngx_redis_text_t *word)
{
    return reply->type == REDIS_REPLY_STRING
           && (size_t) reply->len == word->len
           && memcmp(reply->str, word->data, word->len) == 0;
}


static void
ngx_redis_verdict_field(const redisReply *reply, ngx_redis_words_t *words)
{
    char  ch;

    if (reply->type != REDIS_REPLY_STRING) {
        return;
    }

    while (words->len < (size_t) reply->len && words->len < NGX_REDIS_FIELD) {
        ch = reply->str[words->len];

        if ((ch | 0x20) < 'a' || (ch | 0x20) > 'z') {
            break;
        }

        words->data[words->len++] = ch;
    }
}


static void
ngx_redis_verdict_error(const redisReply *reply, ngx_redis_words_t *words)
{
    size_t       len;
    const char  *p, *end, *last;

    last = reply->str + reply->len;

    for (p = reply->str; p < last; p = end + 1) {

        end = memchr(p, ' ', last - p);
        if (end == NULL) {
            end = last;
        }

        if (ngx_redis_verdict_ends(p, end, last)) {
            return;
        }

        if (!ngx_redis_verdict_shown(p, end)) {
            p = "*";
            len = 1;

        } else {
            len = end - p;
        }

        if (words->len + 1 + len > NGX_REDIS_SAID) {
            return;
        }

        if (words->len) {
            words->data[words->len++] = ' ';
        }

        memcpy(words->data + words->len, p, len);
        words->len += len;
    }
}


/* what follows may be an argument, and of how many words nobody knows */

static int
ngx_redis_verdict_ends(const char *p, const char *end, const char *last)
{
    return ngx_redis_begins(p, (size_t) (last - p), "with args")
           || (p < end
               && (*p == '\'' || *p == '"' || *p == '`')
               && memchr(p + 1, *p, end - p - 1) == NULL);
}


static int
ngx_redis_verdict_shown(const char *p, const char *end)
{
    if (end - p > NGX_REDIS_WORD) {
        return 0;
    }

    for ( /* void */ ; p < end; p++) {

        if (((*p | 0x20) < 'a' || (*p | 0x20) > 'z')
            && (*p == '\0' || strchr("'`.,:;!?()<>=|/@_-", *p) == NULL))
        {
            return 0;
        }
    }

    return 1;
}
