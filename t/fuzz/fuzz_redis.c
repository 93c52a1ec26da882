
/*
 * Whatever Redis, a sentinel or a cluster's node says: what is made of it stays
 * within the bytes that came, and within what the rest of the gateway expects.
 * The bytes are replies, one behind the other, as a connection brings them.
 */

#include "fuzz.h"

#include "redis/reply/ngx_redis_expect.h"
#include "redis/reply/ngx_redis_facts.h"
#include "redis/reply/ngx_redis_parse.h"
#include "redis/reply/ngx_redis_reader.h"
#include "redis/reply/ngx_redis_sieve.h"
#include "redis/reply/ngx_redis_slot.h"
#include "redis/reply/ngx_redis_swift.h"


static void
check_place(const redisReply *text, const ngx_redis_place_t *place)
{
    size_t  i;

    MUST(place->port >= 1 && place->port <= 65535);
    MUST(place->len <= NGX_REDIS_HOST);

    if (place->len == 0) {
        return;
    }

    MUST(text != NULL);
    MUST(place->host >= text->str);
    MUST(place->host + place->len <= text->str + text->len);

    /* fit for the log, and for a C string */

    for (i = 0; i < place->len; i++) {
        MUST(place->host[i] > ' ' && place->host[i] < 0x7f);
        MUST(strchr("\"'\\/?#@%", place->host[i]) == NULL);
    }
}


static void
check_error(const redisReply *reply)
{
    ngx_redis_error_t  error;

    ngx_redis_parse_error(reply, &error);

    switch (error.kind) {

    case ngx_redis_error_moved:
    case ngx_redis_error_ask:
        MUST(error.slot < NGX_REDIS_SLOTS);
        check_place(reply, &error.place);

        /* fall through */

    case ngx_redis_error_noscript:
    case ngx_redis_error_tryagain:
    case ngx_redis_error_clusterdown:
    case ngx_redis_error_readonly:
        MUST(reply->type == REDIS_REPLY_ERROR);
        break;

    case ngx_redis_error_other:
        break;
    }
}


static void
check_ranges(const redisReply *reply)
{
    size_t             i, n;
    ngx_redis_range_t  range;

    n = (reply->type == REDIS_REPLY_ARRAY) ? reply->elements : 0;

    for (i = 0; i < n; i++) {

        if (!ngx_redis_parse_range(reply, i, &range)) {
            continue;
        }

        MUST(range.first <= range.last && range.last < NGX_REDIS_SLOTS);
        check_place(reply->element[i]->element[2]->element[0], &range.place);
    }

    MUST(!ngx_redis_parse_range(reply, n, &range));
}


/* as one that begins with the proof does, or is nothing else */

static void
check_done(const redisReply *reply)
{
    static const unsigned char  proof[] = "proof";

    if (!ngx_redis_expect_fits(reply, ngx_redis_expect_done, proof, 5)
        || ngx_redis_expect_fits(reply, ngx_redis_expect_proof, proof, 5))
    {
        return;
    }

    MUST(reply->type == REDIS_REPLY_STRING && reply->len == 5);
    MUST(memcmp(reply->str, proof, 5) == 0);
    MUST(!ngx_redis_expect_fits(reply, ngx_redis_expect_done, proof, 4));
}


/* a reply that fits one kind of question fits no other, but for an error */

static void
check_fits(const redisReply *reply)
{
    int                  fits;
    ngx_redis_expect_e   expect;

    static const unsigned char  proof[] = "proof";

    fits = 0;

    for (expect = ngx_redis_expect_ok; expect <= ngx_redis_expect_proof;
         expect++)
    {
        fits += ngx_redis_expect_fits(reply, expect, proof, 5);
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        MUST(fits == (int) ngx_redis_expect_proof);
        return;
    }

    check_done(reply);

    MUST(ngx_redis_expect_fits(reply, ngx_redis_expect_any, NULL, 0));

    if (!ngx_redis_expect_fits(reply, ngx_redis_expect_proof, proof, 5)) {
        MUST(reply->type == REDIS_REPLY_ARRAY || fits <= 1);
        return;
    }

    MUST(ngx_redis_expect_fits(reply, ngx_redis_expect_done, proof, 5));
    MUST(reply->type == REDIS_REPLY_ARRAY && reply->elements > 0);
    MUST(reply->element[0]->len == 5);
    MUST(memcmp(reply->element[0]->str, proof, 5) == 0);

    MUST(!ngx_redis_expect_fits(reply, ngx_redis_expect_proof, proof, 4));
    MUST(!ngx_redis_expect_fits(reply, ngx_redis_expect_slots, NULL, 0));
}


static void
check_reply(const redisReply *reply)
{
    size_t              i, len;
    const char         *policy;
    ngx_redis_place_t   place;
    ngx_redis_health_t  health;

    check_error(reply);
    check_fits(reply);
    check_ranges(reply);

    if (ngx_redis_parse_master(reply, &place)) {
        MUST(place.len > 0);
        check_place(reply->element[0], &place);
    }

    if (ngx_redis_facts_role(reply)) {
        MUST(reply->type == REDIS_REPLY_ARRAY);
    }

    ngx_redis_facts_health(reply, &health);

    if (reply->type != REDIS_REPLY_STRING) {
        MUST(health.ok && health.epoch == 0);
    }

    len = ngx_redis_facts_policy(reply, &policy);

    if (len) {
        MUST(policy >= reply->str && policy + len <= reply->str + reply->len);

        for (i = 0; i < len; i++) {
            MUST(policy[i] == '-' || (policy[i] >= 'a' && policy[i] <= 'z'));
        }
    }
}


/* the hash tag alone decides */

static void
check_slot(const uint8_t *data, size_t size)
{
    unsigned        slot;
    unsigned char  *key;

    slot = ngx_redis_slot(data, size);

    MUST(slot < NGX_REDIS_SLOTS);
    MUST(ngx_redis_slot((const unsigned char *) "123456789", 9)
         == 0x31c3 % NGX_REDIS_SLOTS);

    if (size == 0 || memchr(data, '{', size) || memchr(data, '}', size)) {
        return;
    }

    key = malloc(size + 4);
    MUST(key != NULL);

    key[0] = 'a';
    key[1] = '{';
    memcpy(key + 2, data, size);
    key[size + 2] = '}';
    key[size + 3] = 'b';

    MUST(ngx_redis_slot(key, size + 4) == slot);

    free(key);
}


/* in whatever pieces: the same, and no string beyond what is kept */

static void
check_sizes(const redisReply *reply, size_t max)
{
    size_t  i;

    if (reply->type == REDIS_REPLY_STRING) {
        MUST((size_t) reply->len <= max);
    }

    for (i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        check_sizes(reply->element[i], max);
    }
}


static size_t
sieved(const uint8_t *data, size_t size, size_t piece, size_t *dropped)
{
    int                 rc;
    void               *reply;
    size_t              n, replies;
    redisReader        *reader;
    ngx_redis_sieve_t   sieve;

    reader = ngx_redis_reader_create();
    MUST(reader != NULL);

    memset(&sieve, 0, sizeof(ngx_redis_sieve_t));
    sieve.max = 8;
    replies = 0;

    for (rc = 1; rc == 1 && size > 0; data += n, size -= n) {
        n = (size < piece) ? size : piece;
        rc = ngx_redis_sieve(&sieve, reader, (const char *) data, n);

        while (rc == 1) {

            if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
                rc = 0;
                break;
            }

            if (reply == NULL) {
                break;
            }

            check_sizes(reply, sieve.max);
            freeReplyObject(reply);
            replies++;
        }
    }

    MUST(rc >= 0);
    MUST(sieve.dropped == 0 || sieve.dropped > sieve.max);

    *dropped = sieve.dropped;
    redisReaderFree(reader);

    return replies;
}


static void
check_sieve(const uint8_t *data, size_t size)
{
    size_t  whole, bytes, some;

    /* what is wrong later in a piece may hide what was right before it */

    bytes = sieved(data, size, 1, &some);
    whole = sieved(data, size, size, &some);

    MUST(whole <= bytes);
}


/* what is read where it lies is what the reader reads */

static void
check_same(const redisReply *swift, const redisReply *reply,
    const char *first, const char *last)
{
    size_t  i;

    MUST(reply->type == swift->type);
    MUST(reply->integer == swift->integer);
    MUST(reply->len == swift->len);
    MUST(reply->elements == swift->elements);

    if (swift->str) {
        MUST(memcmp(reply->str, swift->str, swift->len) == 0);
        MUST(swift->str[swift->len] == '\0');
        MUST(swift->str >= first && swift->str + swift->len < last);
    }

    for (i = 0; i < swift->elements; i++) {
        check_same(swift->element[i], reply->element[i], first, last);
    }
}


static void
check_swift(const uint8_t *data, size_t size)
{
    char               *copy;
    void               *read;
    size_t              taken;
    redisReader        *reader;
    ngx_redis_swift_t   swift;

    copy = malloc(size ? size : 1);
    MUST(copy != NULL);

    if (size) {
        memcpy(copy, data, size);
    }

    /* whatever stood there before */

    memset(&swift, 0xa5, sizeof(ngx_redis_swift_t));

    taken = ngx_redis_swift(copy, size, 1000, &swift);
    MUST(taken <= size);

    if (taken == 0) {
        MUST(size == 0 || memcmp(copy, data, size) == 0);
        free(copy);
        return;
    }

    reader = ngx_redis_reader_create();
    MUST(reader != NULL);

    MUST(redisReaderFeed(reader, (const char *) data, taken) == REDIS_OK);
    MUST(redisReaderGetReply(reader, &read) == REDIS_OK && read);

    check_reply(&swift.reply);
    check_same(&swift.reply, read, copy, copy + taken);

    freeReplyObject(read);

    MUST(redisReaderGetReply(reader, &read) == REDIS_OK && read == NULL);

    redisReaderFree(reader);
    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void         *reply;
    redisReader  *reader;

    check_slot(data, size);
    check_sieve(data, size);

    reader = ngx_redis_reader_create();
    MUST(reader != NULL);

    MUST(redisReaderFeed(reader, (const char *) data, size) == REDIS_OK);

    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
        check_reply(reply);
        freeReplyObject(reply);
    }

    redisReaderFree(reader);

    check_swift(data, size);

    return 0;
}
