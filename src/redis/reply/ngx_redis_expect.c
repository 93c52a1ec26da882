
/*
 * What a reply has to look like to be the one to a command.
 */


#include "redis/reply/ngx_redis_expect.h"

#include <string.h>


typedef struct {
    const char           *words[2];     /* the second: NULL, whatever it is */
    ngx_redis_expect_e    expect;
} ngx_redis_question_t;


static int ngx_redis_expect_other(const redisReply *reply,
    const unsigned char *proof, size_t len);
static int ngx_redis_expect_is(const redisReply *reply, int type,
    const void *text, size_t len);


static const ngx_redis_question_t  ngx_redis_questions[] = {
    { { "ASKING", NULL }, ngx_redis_expect_ok },
    { { "PING", NULL }, ngx_redis_expect_pong },
    { { "WAIT", NULL }, ngx_redis_expect_number },
    { { "INFO", NULL }, ngx_redis_expect_text },
    { { "ROLE", NULL }, ngx_redis_expect_role },
    { { "SCRIPT", NULL }, ngx_redis_expect_text },
    { { "CLUSTER", "SLOTS" }, ngx_redis_expect_slots },
    { { "CLUSTER", "INFO" }, ngx_redis_expect_text },
    { { "SENTINEL", "GET-MASTER-ADDR-BY-NAME" }, ngx_redis_expect_place },
    { { NULL, NULL }, ngx_redis_expect_any }
};


ngx_redis_expect_e
ngx_redis_expect(const char **words, size_t n)
{
    const ngx_redis_question_t  *q;

    for (q = ngx_redis_questions; q->words[0]; q++) {

        if (n > 0 && strcmp(words[0], q->words[0]) == 0
            && (q->words[1] == NULL
                || (n > 1 && strcmp(words[1], q->words[1]) == 0)))
        {
            break;
        }
    }

    return q->expect;
}


int
ngx_redis_expect_fits(const redisReply *reply, ngx_redis_expect_e expect,
    const unsigned char *proof, size_t len)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        return 1;
    }

    switch (expect) {

    case ngx_redis_expect_ok:
        return ngx_redis_expect_is(reply, REDIS_REPLY_STATUS, "OK", 2);

    case ngx_redis_expect_pong:
        return ngx_redis_expect_is(reply, REDIS_REPLY_STATUS, "PONG", 4);

    case ngx_redis_expect_number:
        return reply->type == REDIS_REPLY_INTEGER;

    case ngx_redis_expect_text:
        return reply->type == REDIS_REPLY_STRING;

    case ngx_redis_expect_slots:
        return reply->type == REDIS_REPLY_ARRAY
               && (reply->elements == 0
                   || reply->element[0]->type == REDIS_REPLY_ARRAY);

    case ngx_redis_expect_place:
        return reply->type == REDIS_REPLY_NIL
               || (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2);

    case ngx_redis_expect_role:
        return reply->type == REDIS_REPLY_ARRAY
               && reply->elements > 0
               && reply->element[0]->type == REDIS_REPLY_STRING;

    case ngx_redis_expect_done:

        if (reply->type == REDIS_REPLY_STRING) {
            return ngx_redis_expect_is(reply, REDIS_REPLY_STRING, proof, len);
        }

        /* fall through */

    case ngx_redis_expect_proof:
        return reply->type == REDIS_REPLY_ARRAY
               && reply->elements > 0
               && ngx_redis_expect_is(reply->element[0], REDIS_REPLY_STRING,
                                     proof, len);

    case ngx_redis_expect_value:
        return reply->type == REDIS_REPLY_NIL
               || (reply->type == REDIS_REPLY_STRING
                   && !ngx_redis_expect_other(reply, proof, len));

    case ngx_redis_expect_set:
        return reply->type == REDIS_REPLY_NIL
               || ngx_redis_expect_is(reply, REDIS_REPLY_STATUS, "OK", 2);

    default: /* ngx_redis_expect_any */
        return 1;
    }
}


/* whether a value names something else */

static int
ngx_redis_expect_other(const redisReply *reply, const unsigned char *proof,
    size_t len)
{
    return len > 1
           && (size_t) reply->len >= NGX_REDIS_NAME_AT + len - 1
           && (unsigned char) reply->str[0] == proof[0]
           && memcmp(reply->str + NGX_REDIS_NAME_AT, proof + 1, len - 1) != 0;
}


static int
ngx_redis_expect_is(const redisReply *reply, int type, const void *text,
    size_t len)
{
    return reply->type == type
           && (size_t) reply->len == len
           && memcmp(reply->str, text, len) == 0;
}
