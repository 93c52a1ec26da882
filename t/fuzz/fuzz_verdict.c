
/*
 * Whatever Redis answers to a command of ours: what is made of it is one of the
 * verdicts that the command can have, with all that belongs to it and nothing
 * else, and lies within the bytes that came.  What is no verdict never lets a
 * create run.
 *
 * The bytes are replies, one behind the other, as a connection brings them;
 * they are also the three values of an answer, split at the first two zero
 * bytes.
 */

#include "fuzz.h"

#include "redis/reply/ngx_redis_reader.h"
#include "record/ngx_redis_verdict.h"


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


/* the whole of the i-th element, or nothing */

static void
check_text(const ngx_redis_text_t *text, const redisReply *reply, size_t i)
{
    if (i == 0) {
        MUST(is_zero(text, sizeof(ngx_redis_text_t)));
        return;
    }

    MUST(i < reply->elements);
    MUST(reply->element[i]->type == REDIS_REPLY_STRING);
    MUST(text->data == reply->element[i]->str);
    MUST(text->len == (size_t) reply->element[i]->len);
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
    ngx_redis_record_verdict_e  verdict;

    verdict = decoded->verdict;

    MUST(reply->type == REDIS_REPLY_ARRAY);

    check_limits(&decoded->limits);

    MUST(verdict != ngx_redis_record_limited
         || decoded->limits.verdict == ngx_redis_limits_refused);

    check_text(&decoded->status, reply,
               (verdict == ngx_redis_record_replay
                || verdict == ngx_redis_record_tombstone) ? 2 : 0);
    check_text(&decoded->headers, reply,
               verdict == ngx_redis_record_replay ? 3 : 0);
    check_text(&decoded->body, reply,
               verdict == ngx_redis_record_replay ? 4 : 0);

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
    MUST((said == ngx_redis_said_error) == (reply->type == REDIS_REPLY_ERROR));

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
check_reply(const redisReply *reply)
{
    ngx_redis_said_e           said;
    ngx_redis_asked_e          asked;
    ngx_redis_words_t          words;
    ngx_redis_record_reply_t   decoded;

    for (asked = ngx_redis_asked_claim; asked <= ngx_redis_asked_spend; asked++)
    {
        memset(&decoded, 0xff, sizeof(ngx_redis_record_reply_t));

        said = ngx_redis_verdict(reply, asked, &decoded, &words);

        if (said != ngx_redis_said_verdict) {
            check_other(reply, said, &decoded, &words);
            continue;
        }

        MUST(may_come(decoded.verdict, asked));
        MUST(words.len == 0);
        check_verdict(reply, &decoded);
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


static sg_str_t
next_part(sg_str_t *rest)
{
    size_t                len;
    sg_str_t              part;
    const unsigned char  *zero;

    zero = rest->len ? memchr(rest->data, 0, rest->len) : NULL;
    len = zero ? (size_t) (zero - rest->data) : rest->len;

    part = fuzz_str(rest->data, len);
    *rest = fuzz_str(rest->data + len, rest->len - len);

    if (zero) {
        rest->data++;
        rest->len--;
    }

    return part;
}


/* whatever was stored comes back, byte for byte */

static void
check_replay(sg_str_t status, sg_str_t headers, sg_str_t body)
{
    int                        len;
    char                      *command;
    void                      *reply;
    redisReader               *reader;
    ngx_redis_words_t          words;
    ngx_redis_record_reply_t   decoded;

    /* a command has the form of such a reply */

    len = redisFormatCommand(&command, "proof replay %b %b %b",
                             status.data, status.len,
                             headers.data, headers.len, body.data, body.len);
    MUST(len > 0);

    reader = ngx_redis_reader_create();
    MUST(reader != NULL);

    MUST(redisReaderFeed(reader, command, (size_t) len) == REDIS_OK);
    MUST(redisReaderGetReply(reader, &reply) == REDIS_OK && reply);

    MUST(ngx_redis_verdict(reply, ngx_redis_asked_claim, &decoded, &words)
         == ngx_redis_said_verdict);
    MUST(decoded.verdict == ngx_redis_record_replay);

    MUST(sg_str_eq(fuzz_str(decoded.status.data, decoded.status.len), status));
    MUST(sg_str_eq(fuzz_str(decoded.headers.data, decoded.headers.len),
                   headers));
    MUST(sg_str_eq(fuzz_str(decoded.body.data, decoded.body.len), body));

    freeReplyObject(reply);
    redisReaderFree(reader);
    free(command);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_str_t  rest, status, headers;

    check_replies(data, size);

    rest = fuzz_str(data, size);
    status = next_part(&rest);
    headers = next_part(&rest);

    check_replay(status, headers, rest);

    return 0;
}
