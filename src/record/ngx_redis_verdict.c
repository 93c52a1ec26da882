
/*
 * What a reply to a script says: a word, and what belongs to it.
 */


#include "record/ngx_redis_verdict.h"

#include <string.h>


/* a value of which nothing is kept: NGX_REDIS_SIEVED */
#define NGX_REDIS_VERDICT_SIEVED  "TOOLONG "

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


static ngx_redis_said_e ngx_redis_verdict_decode(const redisReply *reply,
    ngx_redis_asked_e asked, const ngx_redis_own_t *own,
    ngx_redis_record_reply_t *decoded, ngx_redis_words_t *words);
static ngx_redis_said_e ngx_redis_verdict_found(const redisReply *found,
    ngx_redis_asked_e asked, const ngx_redis_own_t *own,
    ngx_redis_record_reply_t *decoded, ngx_redis_words_t *words);
static int ngx_redis_verdict_limits(const redisReply *told,
    ngx_redis_limits_reply_t *limits);
static int ngx_redis_verdict_limit(const redisReply *told, size_t i,
    ngx_redis_limit_state_t *state);
static int ngx_redis_verdict_refusal(const ngx_redis_limits_reply_t *limits);
static int ngx_redis_verdict_number(const redisReply *reply, long long min,
    unsigned long long *number);
static int ngx_redis_verdict_is(const redisReply *reply,
    const ngx_redis_text_t *word);


/* "found" has no verdict of its own: the value has it */

static const ngx_redis_verdict_word_t  ngx_redis_verdict_claim_words[] = {
    { ngx_redis_verdict_text("won"), 1, ngx_redis_record_ok },
    { ngx_redis_verdict_text("ok"), 1, ngx_redis_record_ok },
    { ngx_redis_verdict_text("found"), 2, ngx_redis_record_unreadable },
    { ngx_redis_verdict_text("in_progress"), 2, ngx_redis_record_in_progress },
    { ngx_redis_verdict_text("held"), 1, ngx_redis_record_held },
    { ngx_redis_verdict_text("limited"), 1, ngx_redis_record_limited },
    { { NULL, 0 }, 0, ngx_redis_record_failed }
};


static const ngx_redis_verdict_word_t  ngx_redis_verdict_change_words[] = {
    { ngx_redis_verdict_text("ok"), 1, ngx_redis_record_ok },
    { ngx_redis_verdict_text("found"), 2, ngx_redis_record_unreadable },
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
    const ngx_redis_own_t *own, ngx_redis_record_reply_t *decoded,
    ngx_redis_words_t *words)
{
    ngx_redis_said_e  said;

    words->len = 0;

    memset(decoded, 0, sizeof(ngx_redis_record_reply_t));

    said = ngx_redis_verdict_decode(reply, asked, own, decoded, words);

    if (said == ngx_redis_said_verdict) {
        return said;
    }

    memset(decoded, 0, sizeof(ngx_redis_record_reply_t));

    /*
     * Anything but a refusal may mean that something stands under this name:
     * it is never run over.
     */

    decoded->verdict = ngx_redis_record_unreadable;

    if (reply->type == REDIS_REPLY_ERROR
        && ngx_redis_begins(reply->str, (size_t) reply->len,
                            NGX_REDIS_VERDICT_SIEVED))
    {
        return ngx_redis_said_nonsense;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_redis_words_error(reply, words);

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
        ngx_redis_words_field(reply->element[2], words);
        return ngx_redis_said_unreadable;
    }

    return said;
}


static ngx_redis_said_e
ngx_redis_verdict_decode(const redisReply *reply, ngx_redis_asked_e asked,
    const ngx_redis_own_t *own, ngx_redis_record_reply_t *decoded,
    ngx_redis_words_t *words)
{
    size_t                           n;
    const ngx_redis_verdict_word_t  *w;

    /* the proof alone, which is the connection's to check: it is done */

    if (reply->type == REDIS_REPLY_STRING && asked == ngx_redis_asked_change) {
        decoded->verdict = ngx_redis_record_ok;
        return ngx_redis_said_verdict;
    }

    /* or with a word behind it */

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2) {
        return ngx_redis_said_nonsense;
    }

    n = reply->elements;

    if (reply->element[n - 1]->type == REDIS_REPLY_ARRAY
        && !ngx_redis_verdict_limits(reply->element[--n], &decoded->limits))
    {
        return ngx_redis_said_nonsense;
    }

    for (w = ngx_redis_verdict_words[asked]; w->word.len; w++) {

        if (1 + w->elements == n
            && ngx_redis_verdict_is(reply->element[1], &w->word))
        {
            break;
        }
    }

    decoded->verdict = w->verdict;

    switch (w->verdict) {

    case ngx_redis_record_failed:
        return ngx_redis_said_nonsense;

    case ngx_redis_record_unreadable:
        return ngx_redis_verdict_found(reply->element[2], asked, own, decoded,
                                       words);

    case ngx_redis_record_ok:
        decoded->straight = (w == ngx_redis_verdict_claim_words);
        return ngx_redis_said_verdict;

    case ngx_redis_record_limited:
        return (decoded->limits.verdict == ngx_redis_limits_refused)
               ? ngx_redis_said_verdict : ngx_redis_said_nonsense;

    case ngx_redis_record_in_progress:
        return ngx_redis_verdict_number(reply->element[2], 1, &decoded->left)
               ? ngx_redis_said_verdict : ngx_redis_said_nonsense;

    default:
        return ngx_redis_said_verdict;
    }
}


static ngx_redis_said_e
ngx_redis_verdict_found(const redisReply *found, ngx_redis_asked_e asked,
    const ngx_redis_own_t *own, ngx_redis_record_reply_t *decoded,
    ngx_redis_words_t *words)
{
    if (found->type == REDIS_REPLY_NIL && asked == ngx_redis_asked_change) {
        decoded->verdict = ngx_redis_record_stale;
        return ngx_redis_said_verdict;
    }

    if (found->type != REDIS_REPLY_STRING) {
        return ngx_redis_said_nonsense;
    }

    return ngx_redis_verdict_value(found->str, (size_t) found->len, asked, own,
                                   decoded, words);
}


ngx_redis_said_e
ngx_redis_verdict_value(const char *data, size_t len, ngx_redis_asked_e asked,
    const ngx_redis_own_t *own, ngx_redis_record_reply_t *decoded,
    ngx_redis_words_t *words)
{
    sg_str_t     text;
    sg_value_t   value;
    const char  *bad;

    text.data = (const unsigned char *) data;
    text.len = len;

    decoded->verdict = ngx_redis_record_unreadable;

    bad = sg_value_decode(&value, text);

    if (bad == NULL && !sg_str_eq(value.check, own->claim->check)) {
        bad = "name";
    }

    if (bad) {
        ngx_redis_words_part(bad, words);
        return ngx_redis_said_unreadable;
    }

    if (asked == ngx_redis_asked_change) {
        decoded->verdict = ngx_redis_record_stale;
        return ngx_redis_said_verdict;
    }

    if (!sg_str_eq(value.fingerprint, own->claim->fingerprint)) {
        decoded->verdict = ngx_redis_record_mismatch;
        return ngx_redis_said_verdict;
    }

    switch (value.state) {

    case sg_value_answered:
        decoded->verdict = ngx_redis_record_replay;
        decoded->status = value.status;
        decoded->headers.data = (const char *) value.headers.data;
        decoded->headers.len = value.headers.len;
        decoded->body.data = (const char *) value.body.data;
        decoded->body.len = value.body.len;

        if (value.sealed) {
            decoded->head.data = (const char *) value.head.data;
            decoded->head.len = value.head.len;
            decoded->seal.data = (const char *) value.seal.data;
            decoded->seal.len = value.seal.len;
        }

        return ngx_redis_said_verdict;

    case sg_value_tombstone:
        decoded->verdict = ngx_redis_record_tombstone;
        decoded->status = value.status;
        return ngx_redis_said_verdict;

    case sg_value_unknown:

        if (own->hold) {
            decoded->verdict = ngx_redis_record_held;
            return ngx_redis_said_verdict;
        }

        return ngx_redis_said_nonsense;

    default: /* sg_value_claimed */
        return ngx_redis_said_nonsense;
    }
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
