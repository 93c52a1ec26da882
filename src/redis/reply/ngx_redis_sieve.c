
/*
 * What a connection has read, on its way to the reader: strings that are too
 * long are left out.
 */


#include "redis/reply/ngx_redis_sieve.h"

#include <string.h>


static int ngx_redis_sieve_head(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char **from, const char *p, const char *last);
static int ngx_redis_sieve_length(const char *head, size_t len,
    unsigned long long *n);
static int ngx_redis_sieve_feed(redisReader *reader, const char *p,
    const char *last);


int
ngx_redis_sieve_idle(const ngx_redis_sieve_t *sieve, const redisReader *reader)
{
    return sieve->state == ngx_redis_sieve_line
           && sieve->len == 0
           && reader->ridx == -1
           && reader->pos == reader->len;
}


int
ngx_redis_sieve(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char *data, size_t len)
{
    int          rc;
    size_t       n;
    const char  *p, *from, *last, *end;

    last = data + len;
    from = data;                        /* what the reader does not have yet */

    for (p = data; p < last; p = end) {

        switch (sieve->state) {

        case ngx_redis_sieve_line:

            if (sieve->len == 0 && *p != '$') {
                sieve->state = ngx_redis_sieve_other;
                sieve->rest = 0;
                sieve->cr = 0;
                end = p;
                break;
            }

            rc = ngx_redis_sieve_head(sieve, reader, &from, p, last);
            if (rc != 1) {
                return rc;
            }

            end = memchr(p, '\n', last - p);
            end = end ? end + 1 : last;
            break;

        case ngx_redis_sieve_other:
            end = memchr(p, '\n', last - p);

            if (end) {

                /* hiredis reads on behind a lone LF, which no line has */

                if (!(end > p ? end[-1] == '\r' : sieve->cr)) {
                    return 0;
                }

                sieve->state = ngx_redis_sieve_line;
            }

            end = end ? end + 1 : last;
            sieve->rest += end - p;
            sieve->cr = (end[-1] == '\r');

            if (sieve->rest > NGX_REDIS_LINE) {
                return 0;
            }

            break;

        default: /* ngx_redis_sieve_keep, ngx_redis_sieve_drop */

            n = (sieve->rest < (size_t) (last - p)) ? (size_t) sieve->rest
                                                    : (size_t) (last - p);
            end = p + n;

            if (sieve->state == ngx_redis_sieve_drop) {
                from = end;
            }

            sieve->rest -= n;

            if (sieve->rest == 0) {
                sieve->state = ngx_redis_sieve_line;
            }
        }
    }

    return ngx_redis_sieve_feed(reader, from, last);
}


/* the line with a string's length; one that is cut is kept back */

static int
ngx_redis_sieve_head(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char **from, const char *p, const char *last)
{
    int                  cut;
    size_t               len;
    const char          *end, *head;
    unsigned long long   n;

    static const char    instead[] = "-" NGX_REDIS_SIEVED "\r\n";

    end = memchr(p, '\n', last - p);
    cut = (end == NULL || sieve->len > 0);
    end = end ? end + 1 : last;
    head = p;
    len = end - p;

    if (cut) {

        if (len > sizeof(sieve->head) - sieve->len) {
            return 0;
        }

        if (ngx_redis_sieve_feed(reader, *from, p) != 1) {
            return -1;
        }

        memcpy(sieve->head + sieve->len, p, len);
        sieve->len += len;
        *from = end;

        if (end[-1] != '\n') {
            return 1;
        }

        head = sieve->head;
        len = sieve->len;
        sieve->len = 0;
    }

    if (len == 5 && memcmp(head, "$-1\r\n", 5) == 0) {
        return cut ? ngx_redis_sieve_feed(reader, head, head + len) : 1;
    }

    if (!ngx_redis_sieve_length(head, len, &n)) {
        return 0;
    }

    sieve->rest = n + 2;

    if (n <= sieve->max) {
        sieve->state = ngx_redis_sieve_keep;
        return cut ? ngx_redis_sieve_feed(reader, head, head + len) : 1;
    }

    if (!cut && ngx_redis_sieve_feed(reader, *from, p) != 1) {
        return -1;
    }

    *from = end;

    sieve->state = ngx_redis_sieve_drop;
    sieve->dropped = (size_t) n;

    return ngx_redis_sieve_feed(reader, instead,
                                instead + sizeof(instead) - 1);
}


static int
ngx_redis_sieve_length(const char *head, size_t len, unsigned long long *n)
{
    size_t  i;

    if (len < 4 || len > 14 || head[len - 2] != '\r') {
        return 0;
    }

    for (*n = 0, i = 1; i < len - 2; i++) {

        if (head[i] < '0' || head[i] > '9') {
            return 0;
        }

        *n = *n * 10 + (head[i] - '0');
    }

    return *n <= NGX_REDIS_BULK;
}


static int
ngx_redis_sieve_feed(redisReader *reader, const char *p, const char *last)
{
    if (p < last && redisReaderFeed(reader, p, last - p) != REDIS_OK) {
        return -1;
    }

    return 1;
}
