
/*
 * Replies that need no reader: whole, and of a shape that is known.
 */


#include "redis/reply/ngx_redis_swift.h"

#include <string.h>


#define NGX_REDIS_SWIFT_DIGITS    9     /* of a length or a number */


static size_t ngx_redis_swift_number(const char *p, size_t len,
    size_t *number);


size_t
ngx_redis_swift(char *p, size_t len, size_t max, redisReply *reply)
{
    char    *end;
    size_t   n, head;

    if (len < 4) {
        return 0;
    }

    memset(reply, 0, sizeof(redisReply));

    switch (p[0]) {

    case '+':

        end = memchr(p, '\r', len);

        if (end == NULL || end + 1 == p + len || end[1] != '\n'
            || memchr(p, '\n', end - p) != NULL)
        {
            return 0;
        }

        reply->type = REDIS_REPLY_STATUS;
        reply->str = p + 1;
        reply->len = end - reply->str;

        *end = '\0';

        return end + 2 - p;

    case ':':

        head = ngx_redis_swift_number(p, len, &n);

        reply->type = REDIS_REPLY_INTEGER;
        reply->integer = (long long) n;

        return head;

    case '$':

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

        p[head + n] = '\0';

        return head + n + 2;

    default:
        return 0;
    }
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
