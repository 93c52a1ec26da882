
/*
 * The straight way, and the way around a Redis that refuses writes.
 */


#include "record/ngx_redis_straight.h"

#include <string.h>


static int ngx_redis_straight_refused(const redisReply *reply);
static ngx_redis_form_e ngx_redis_straight_value(const redisReply *reply,
    ngx_redis_asked_e asked, ngx_redis_form_e form, const ngx_redis_own_t *own,
    ngx_redis_seen_t *seen);
static ngx_redis_said_e ngx_redis_straight_left(const redisReply *reply,
    const ngx_redis_own_t *own, const ngx_redis_seen_t *seen,
    ngx_redis_record_reply_t *decoded);


ngx_redis_form_e
ngx_redis_straight_next(const redisReply *reply, ngx_redis_asked_e asked,
    ngx_redis_form_e form, const ngx_redis_own_t *own, ngx_redis_seen_t *seen)
{
    seen->form = form;

    if (form == ngx_redis_form_script || form == ngx_redis_form_left) {
        return form;
    }

    switch (reply->type) {

    case REDIS_REPLY_ERROR:
        return (form == ngx_redis_form_straight
                && asked == ngx_redis_asked_claim
                && ngx_redis_straight_refused(reply)) ? ngx_redis_form_read
                                                      : form;

    case REDIS_REPLY_NIL:

        /* what stands is not the claim as it was made: it may be ours */

        return (asked == ngx_redis_asked_change) ? ngx_redis_form_script
                                                 : form;

    case REDIS_REPLY_STRING:
        return ngx_redis_straight_value(reply, asked, form, own, seen);

    default:
        return form;
    }
}


/* as a write: there is a record, perhaps, that needs none */

static int
ngx_redis_straight_refused(const redisReply *reply)
{
    size_t  i, n;

    static const char *const  words[] = {
        "OOM ", "READONLY ", "MISCONF ", "NOREPLICAS "
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        n = strlen(words[i]);

        if ((size_t) reply->len >= n && memcmp(reply->str, words[i], n) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_redis_form_e
ngx_redis_straight_value(const redisReply *reply, ngx_redis_asked_e asked,
    ngx_redis_form_e form, const ngx_redis_own_t *own, ngx_redis_seen_t *seen)
{
    sg_str_t                   text;
    sg_value_t                 value;
    ngx_redis_words_t          words;
    ngx_redis_record_reply_t   decoded;

    text.data = (const unsigned char *) reply->str;
    text.len = (size_t) reply->len;

    /* nothing is left to ask: what it means is told where it is the answer */

    if (sg_value_is_end(text)) {
        return form;
    }

    if (ngx_redis_verdict_value(reply->str, text.len, asked, own, &decoded,
                                &words)
        != ngx_redis_said_nonsense)
    {
        return form;
    }

    if (form == ngx_redis_form_straight) {
        return ngx_redis_form_script;
    }

    if (sg_value_decode(&value, text) != NULL
        || value.state != sg_value_claimed
        || sg_str_eq(value.token, own->claim->token))
    {
        return form;
    }

    seen->ttl = value.ttl;
    seen->lease = value.lease;

    return ngx_redis_form_left;
}


ngx_redis_said_e
ngx_redis_straight_verdict(const redisReply *reply, ngx_redis_asked_e asked,
    const ngx_redis_own_t *own, const ngx_redis_seen_t *seen,
    ngx_redis_record_reply_t *decoded, ngx_redis_words_t *words)
{
    ngx_redis_said_e  said;

    words->len = 0;

    memset(decoded, 0, sizeof(ngx_redis_record_reply_t));

    switch (reply->type) {

    case REDIS_REPLY_NIL:

        if (asked == ngx_redis_asked_claim
            && seen->form == ngx_redis_form_straight)
        {
            decoded->verdict = ngx_redis_record_ok;
            decoded->straight = 1;
        }

        /* else nothing is there, or it could not be asked further: failed */

        return ngx_redis_said_verdict;

    case REDIS_REPLY_STATUS:

        if (asked != ngx_redis_asked_change) {
            decoded->verdict = ngx_redis_record_unreadable;
            return ngx_redis_said_nonsense;
        }

        decoded->verdict = ngx_redis_record_ok;
        return ngx_redis_said_verdict;

    case REDIS_REPLY_INTEGER:
        return ngx_redis_straight_left(reply, own, seen, decoded);

    case REDIS_REPLY_STRING:

        said = ngx_redis_verdict_value(reply->str, (size_t) reply->len, asked,
                                       own, decoded, words);

        if (said != ngx_redis_said_nonsense) {
            return said;
        }

        /* it would have to be written, and cannot be */

        memset(decoded, 0, sizeof(ngx_redis_record_reply_t));

        return ngx_redis_said_verdict;

    default:
        return ngx_redis_verdict(reply, asked, own, decoded, words);
    }
}


/* over: it is held or, which is a failure, would have to be taken over */

static ngx_redis_said_e
ngx_redis_straight_left(const redisReply *reply, const ngx_redis_own_t *own,
    const ngx_redis_seen_t *seen, ngx_redis_record_reply_t *decoded)
{
    unsigned long long  left, gone;

    if (seen->form != ngx_redis_form_left) {
        decoded->verdict = ngx_redis_record_unreadable;
        return ngx_redis_said_nonsense;
    }

    left = (reply->integer < 0
            || (unsigned long long) reply->integer > seen->ttl)
           ? seen->ttl : (unsigned long long) reply->integer;

    gone = seen->ttl - left;

    if (gone < seen->lease) {
        decoded->verdict = ngx_redis_record_in_progress;
        decoded->left = seen->lease - gone;

    } else if (own->hold) {
        decoded->verdict = ngx_redis_record_held;
    }

    return ngx_redis_said_verdict;
}
