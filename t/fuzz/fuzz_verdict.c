
/*
 * Whatever Redis answers to a command of ours, in each of its forms: what is
 * made of it is one of the verdicts that the command can have, with all that
 * belongs to it and nothing else, and lies within the bytes that came.  What is
 * no verdict never lets a create run, and a form that is asked further comes to
 * an end.
 *
 * The bytes are replies, one behind the other, as a connection brings them;
 * they are also headers and body of an answer, split at the first zero byte.
 */

#include "fuzz.h"

#include "redis/reply/ngx_redis_reader.h"
#include "record/ngx_redis_straight.h"
#include "redis/reply/ngx_redis_sieve.h"


/* of the record "k", and of a request like those of the seeds */

#define CHECK        "\x82\x54\xc3\x29\xa9\x28\x50\xf6"
#define FINGERPRINT  "ffffffffffffffffffffffffffffffff"
#define TOKEN        "tttttttttttttttt"


static sg_value_t
own_claim(void)
{
    sg_value_t  v;

    memset(&v, 0, sizeof(sg_value_t));

    v.state = sg_value_claimed;
    v.from = sg_value_from_absent;
    v.check = fuzz_str(CHECK, SG_VALUE_CHECK);
    v.fingerprint = fuzz_str(FINGERPRINT, SG_VALUE_FINGERPRINT);
    v.token = fuzz_str(TOKEN, SG_VALUE_TOKEN);
    v.ttl = 86400000;
    v.lease = 10000;

    return v;
}


static int
is_zero(const void *data, size_t size)
{
    size_t                i;
    const unsigned char  *p;

    p = data;

    for (i = 0; i < size; i++) {
        if (p[i]) {
            return 0;
        }
    }

    return 1;
}


static int
may_come(ngx_redis_record_verdict_e verdict, ngx_redis_asked_e asked)
{
    switch (verdict) {

    case ngx_redis_record_ok:
        return 1;

    case ngx_redis_record_stale:
        return asked == ngx_redis_asked_change;

    case ngx_redis_record_limited:
        return asked != ngx_redis_asked_change;

    case ngx_redis_record_replay:
    case ngx_redis_record_tombstone:
    case ngx_redis_record_in_progress:
    case ngx_redis_record_mismatch:
    case ngx_redis_record_held:
        return asked == ngx_redis_asked_claim;

    default: /* failed, unreadable, lost: not in so many words */
        return 0;
    }
}


/* within the string that came, or nothing */

static void
check_text(const ngx_redis_text_t *text, const redisReply *found)
{
    if (found == NULL) {
        MUST(is_zero(text, sizeof(ngx_redis_text_t)));
        return;
    }

    MUST(found->type == REDIS_REPLY_STRING);
    MUST(text->data >= found->str);
    MUST(text->data + text->len <= found->str + found->len);
}


static void
check_limits(const ngx_redis_limits_reply_t *limits)
{
    size_t  i, refused;

    MUST(limits->n <= NGX_REDIS_LIMITS_MAX);
    MUST(limits->verdict <= ngx_redis_limits_refused);

    refused = 0;

    for (i = 0; i < limits->n; i++) {
        MUST(limits->state[i].left <= NGX_REDIS_NUMBER_MAX);
        MUST(limits->state[i].reset <= NGX_REDIS_NUMBER_MAX);

        refused += (limits->state[i].left == 0 && limits->state[i].reset > 0);
    }

    MUST(limits->verdict != ngx_redis_limits_refused || refused);
    MUST(is_zero(&limits->state[i],
                 sizeof(limits->state) - i * sizeof(limits->state[0])));
}


static void
check_verdict(const redisReply *reply, const ngx_redis_record_reply_t *decoded)
{
    int                         answered;
    const redisReply           *found;
    ngx_redis_record_verdict_e  verdict;

    verdict = decoded->verdict;
    found = reply;

    if (reply->type == REDIS_REPLY_ARRAY) {
        found = (reply->elements > 2) ? reply->element[2] : NULL;
    }

    answered = (verdict == ngx_redis_record_replay);

    check_limits(&decoded->limits);

    MUST(verdict != ngx_redis_record_limited
         || decoded->limits.verdict == ngx_redis_limits_refused);

    check_text(&decoded->headers, answered ? found : NULL);
    check_text(&decoded->body, answered ? found : NULL);

    MUST((decoded->status != 0)
         == (answered || verdict == ngx_redis_record_tombstone));
    MUST(decoded->status == 0
         || (decoded->status >= 200 && decoded->status <= 599));

    MUST(!decoded->straight || verdict == ngx_redis_record_ok);
    MUST((decoded->left > 0) == (verdict == ngx_redis_record_in_progress));
    MUST(decoded->left <= NGX_REDIS_NUMBER_MAX);
}


/* fit for the log: no key, which has braces, no number, token or address */

static void
check_words(const ngx_redis_words_t *words, ngx_redis_said_e said)
{
    char         ch;
    size_t       i, word;
    const char  *others;

    others = (said == ngx_redis_said_error) ? "'`.,:;!?()<>=|/@_- *" : "";
    word = 0;

    MUST(words->len <= (said == ngx_redis_said_error ? NGX_REDIS_SAID
                                                     : NGX_REDIS_FIELD));

    for (i = 0; i < words->len; i++) {
        ch = words->data[i];

        MUST((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
             || (ch && strchr(others, ch)));

        word = (ch == ' ') ? 0 : word + 1;
        MUST(word <= NGX_REDIS_WORD);
    }

    MUST(said == ngx_redis_said_error || said == ngx_redis_said_unreadable
         || words->len == 0);
}


static void
check_other(const redisReply *reply, ngx_redis_said_e said,
    ngx_redis_record_reply_t *decoded, const ngx_redis_words_t *words)
{
    int  sieved;

    sieved = (reply->type == REDIS_REPLY_ERROR
              && strncmp(reply->str, NGX_REDIS_SIEVED,
                         sizeof(NGX_REDIS_SIEVED) - 1) == 0);

    MUST((said == ngx_redis_said_error)
         == (reply->type == REDIS_REPLY_ERROR && !sieved));

    /* only an error says that nothing was done */

    MUST(decoded->verdict == ngx_redis_record_unreadable
         || (said == ngx_redis_said_error
             && decoded->verdict == ngx_redis_record_failed));

    MUST(!decoded->apart || memcmp(reply->str, "TRYAGAIN ", 9) == 0);

    decoded->verdict = 0;
    decoded->apart = 0;
    MUST(is_zero(decoded, sizeof(ngx_redis_record_reply_t)));

    check_words(words, said);
}


static void
check_said(const redisReply *reply, ngx_redis_asked_e asked,
    ngx_redis_said_e said, ngx_redis_record_reply_t *decoded,
    const ngx_redis_words_t *words)
{
    if (said != ngx_redis_said_verdict) {
        check_other(reply, said, decoded, words);
        return;
    }

    MUST(words->len == 0);

    if (decoded->verdict == ngx_redis_record_failed) {
        MUST(is_zero(decoded, sizeof(ngx_redis_record_reply_t)));
        return;
    }

    MUST(may_come(decoded->verdict, asked));
    check_verdict(reply, decoded);
}


/* the straight way and what is behind it, as if this were always the reply */

static void
check_straight(const redisReply *reply, ngx_redis_asked_e asked,
    const ngx_redis_own_t *own)
{
    size_t                     n;
    ngx_redis_form_e           form, next;
    ngx_redis_said_e           said;
    ngx_redis_seen_t           seen;
    ngx_redis_words_t          words;
    ngx_redis_record_reply_t   decoded;

    memset(&seen, 0, sizeof(ngx_redis_seen_t));
    form = ngx_redis_form_straight;

    for (n = 0; form != ngx_redis_form_script; n++) {
        MUST(n < 4);

        next = ngx_redis_straight_next(reply, asked, form, own, &seen);
        MUST(seen.form == form);

        memset(&decoded, 0xff, sizeof(ngx_redis_record_reply_t));

        said = ngx_redis_straight_verdict(reply, asked, own, &seen, &decoded,
                                          &words);

        if (reply->type != REDIS_REPLY_ARRAY) {
            check_said(reply, asked, said, &decoded, &words);
        }

        /* a value that was there is never won */

        MUST(decoded.verdict != ngx_redis_record_ok
             || said != ngx_redis_said_verdict
             || reply->type != REDIS_REPLY_STRING);

        if (next == form) {
            break;
        }

        form = next;
    }
}


static void
check_reply(const redisReply *reply)
{
    sg_value_t                 claim;
    ngx_redis_own_t            own;
    ngx_redis_said_e           said;
    ngx_redis_asked_e          asked;
    ngx_redis_words_t          words;
    ngx_redis_record_reply_t   decoded;

    claim = own_claim();
    own.claim = &claim;

    for (own.hold = 0; own.hold < 2; own.hold++) {

        for (asked = ngx_redis_asked_claim;
             asked <= ngx_redis_asked_spend;
             asked++)
        {
            memset(&decoded, 0xff, sizeof(ngx_redis_record_reply_t));

            said = ngx_redis_verdict(reply, asked, &own, &decoded, &words);

            MUST(said != ngx_redis_said_verdict
                 || (reply->type == REDIS_REPLY_ARRAY
                     && decoded.verdict != ngx_redis_record_failed)
                 || (reply->type == REDIS_REPLY_STRING
                     && asked == ngx_redis_asked_change
                     && decoded.verdict == ngx_redis_record_ok));

            check_said(reply, asked, said, &decoded, &words);
        }

        check_straight(reply, ngx_redis_asked_claim, &own);
        check_straight(reply, ngx_redis_asked_change, &own);
    }
}


static void
check_replies(const void *data, size_t size)
{
    void         *reply;
    redisReader  *reader;

    reader = ngx_redis_reader_create();
    MUST(reader != NULL);

    MUST(redisReaderFeed(reader, data, size) == REDIS_OK);

    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
        check_reply(reply);
        freeReplyObject(reply);
    }

    redisReaderFree(reader);
}


/* whatever was stored comes back, byte for byte */

static void
check_replay(sg_str_t headers, sg_str_t body)
{
    size_t                     len;
    sg_value_t                 claim, answer;
    unsigned char             *value;
    ngx_redis_own_t            own;
    ngx_redis_words_t          words;
    ngx_redis_record_reply_t   decoded;

    claim = own_claim();
    own.claim = &claim;
    own.hold = 0;

    answer = claim;
    answer.state = sg_value_answered;
    answer.status = 201;
    answer.headers = headers;
    answer.body = body;

    value = malloc(SG_VALUE_HEAD + headers.len + body.len);
    MUST(value != NULL);

    len = sg_value_head(value, &answer);

    if (headers.len) {
        memcpy(value + len, headers.data, headers.len);
    }

    if (body.len) {
        memcpy(value + len + headers.len, body.data, body.len);
    }

    len += headers.len + body.len;

    memset(&decoded, 0, sizeof(ngx_redis_record_reply_t));

    MUST(ngx_redis_verdict_value((char *) value, len, ngx_redis_asked_claim,
                                 &own, &decoded, &words)
         == ngx_redis_said_verdict);

    MUST(decoded.verdict == ngx_redis_record_replay);
    MUST(decoded.status == 201);
    MUST(sg_str_eq(fuzz_str(decoded.headers.data, decoded.headers.len),
                   headers));
    MUST(sg_str_eq(fuzz_str(decoded.body.data, decoded.body.len), body));

    free(value);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t  *zero;

    check_replies(data, size);

    zero = size ? memchr(data, 0, size) : NULL;

    check_replay(fuzz_str(data, zero ? (size_t) (zero - data) : size),
                 zero ? fuzz_str(zero + 1, (size_t) (data + size - zero - 1))
                      : fuzz_str(data, 0));

    return 0;
}
