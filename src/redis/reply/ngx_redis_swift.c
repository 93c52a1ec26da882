
/*
 * Replies that need no reader: whole, and of a shape that is known.
 */


#include "redis/reply/ngx_redis_swift.h"

#include <string.h>


#define NGX_REDIS_SWIFT_DIGITS    9     /* of a length or a number */


static size_t ngx_redis_swift_array(char *p, size_t len, size_t max,
    ngx_redis_swift_t *swift, redisReply *reply);
static size_t ngx_redis_swift_plain(char *p, size_t len, size_t max,
    redisReply *reply);
static size_t ngx_redis_swift_status(char *p, size_t len, redisReply *reply);
static size_t ngx_redis_swift_string(char *p, size_t len, size_t max,
    redisReply *reply);
static size_t ngx_redis_swift_number(const char *p, size_t len,
    size_t *number);
static void ngx_redis_swift_end(redisReply *reply);


size_t
ngx_redis_swift(char *p, size_t len, size_t max, ngx_redis_swift_t *swift)
{
    size_t  i, taken;

    if (len == 0) {
        return 0;
    }

    swift->used = 0;

    taken = (p[0] == '*')
            ? ngx_redis_swift_array(p, len, max, swift, &swift->reply)
            : ngx_redis_swift_plain(p, len, max, &swift->reply);

    if (taken == 0) {
        return 0;
    }

    /* only now: what is not whole goes to the reader as it came */

    ngx_redis_swift_end(&swift->reply);

    for (i = 0; i < swift->used; i++) {
        ngx_redis_swift_end(&swift->element[i]);
    }

    return taken;
}


static size_t
ngx_redis_swift_array(char *p, size_t len, size_t max,
    ngx_redis_swift_t *swift, redisReply *reply)
{
    char        *start, *last;
    size_t       i, n, taken;
    redisReply  *element;

    taken = ngx_redis_swift_number(p, len, &n);

    if (taken == 0 || n > NGX_REDIS_SWIFT_ELEMENTS - swift->used) {
        return 0;
    }

    memset(reply, 0, sizeof(redisReply));

    reply->type = REDIS_REPLY_ARRAY;
    reply->elements = n;
    reply->element = swift->elements + swift->used;

    element = swift->element + swift->used;
    swift->used += n;

    start = p;
    last = p + len;

    for (i = 0; i < n; i++) {
        p += taken;

        if (p == last) {
            return 0;
        }

        reply->element[i] = &element[i];

        if (*p != '*') {
            taken = ngx_redis_swift_plain(p, last - p, max, &element[i]);

        } else if (reply == &swift->reply) {
            taken = ngx_redis_swift_array(p, last - p, max, swift, &element[i]);

        } else {
            return 0;
        }

        if (taken == 0) {
            return 0;
        }
    }

    return p + taken - start;
}


static size_t
ngx_redis_swift_plain(char *p, size_t len, size_t max, redisReply *reply)
{
    size_t  n, taken;

    memset(reply, 0, sizeof(redisReply));

    switch (p[0]) {

    case '+':
        return ngx_redis_swift_status(p, len, reply);

    case ':':
        taken = ngx_redis_swift_number(p, len, &n);

        if (taken) {
            reply->type = REDIS_REPLY_INTEGER;
            reply->integer = (long long) n;
        }

        return taken;

    case '$':
        return ngx_redis_swift_string(p, len, max, reply);

    default:
        return 0;
    }
}


static size_t
ngx_redis_swift_status(char *p, size_t len, redisReply *reply)
{
    char  *end;

    end = memchr(p, '\r', len);

    if (end == NULL || end + 1 == p + len || end[1] != '\n'
        || memchr(p, '\n', end - p) != NULL)
    {
        return 0;
    }

    reply->type = REDIS_REPLY_STATUS;
    reply->str = p + 1;
    reply->len = end - reply->str;

    return end + 2 - p;
}


static size_t
ngx_redis_swift_string(char *p, size_t len, size_t max, redisReply *reply)
{
    size_t  n, head;

    if (len >= 5 && memcmp(p, "$-1\r\n", 5) == 0) {
        reply->type = REDIS_REPLY_NIL;
        return 5;
    }

    head = ngx_redis_swift_number(p, len, &n);

    if (head == 0 || n > max || len - head < n + 2
        || p[head + n] != '\r' || p[head + n + 1] != '\n')
    {
        return 0;
    }

    reply->type = REDIS_REPLY_STRING;
    reply->str = p + head;
    reply->len = n;

    return head + n + 2;
}


/* digits behind the first byte, and the end of the line: bytes of all of it, or
   0 */

static size_t
ngx_redis_swift_number(const char *p, size_t len, size_t *number)
{
    size_t  i, n;

    for (i = 1, n = 0; i < len && i <= NGX_REDIS_SWIFT_DIGITS; i++) {

        if (p[i] < '0' || p[i] > '9') {
            break;
        }

        n = n * 10 + (size_t) (p[i] - '0');
    }

    if (i == 1 || len - i < 2 || p[i] != '\r' || p[i + 1] != '\n') {
        return 0;
    }

    if (p[1] == '0' && i > 2) {
        return 0;                       /* no number to the reader */
    }

    *number = n;

    return i + 2;
}


/* a string has at least this byte behind it */

static void
ngx_redis_swift_end(redisReply *reply)
{
    if (reply->str) {
        reply->str[reply->len] = '\0';
    }
}
