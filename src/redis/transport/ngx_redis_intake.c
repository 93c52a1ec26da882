
/*
 * What a connection brings: replies, one behind the other.
 */


#include "redis/transport/ngx_redis_intake.h"
#include "redis/reply/ngx_redis_reader.h"
#include "redis/reply/ngx_redis_swift.h"
#include "redis/transport/ngx_redis_tally.h"


#define NGX_REDIS_ALERT           0x15  /* the type of a record of TLS */


static ngx_int_t ngx_redis_intake_replies(ngx_redis_stream_t *stream,
    size_t n);
static ngx_int_t ngx_redis_intake_feed(ngx_redis_stream_t *stream,
    const char *p, size_t n);
static ngx_int_t ngx_redis_intake_first_byte(ngx_redis_stream_t *stream);
static ngx_int_t ngx_redis_intake_parse(ngx_redis_stream_t *stream);


ngx_int_t
ngx_redis_intake_begin(ngx_redis_stream_t *stream)
{
    stream->spoke = 0;                  /* of Redis */

    stream->reader = ngx_redis_reader_create();
    if (stream->reader == NULL) {
        ngx_log_error(NGX_LOG_CRIT, stream->log, 0,
                      "redisReaderCreate() failed");
        return NGX_ERROR;
    }

    ngx_memzero(&stream->sieve, sizeof(ngx_redis_sieve_t));
    stream->sieve.max = stream->redis->value + NGX_REDIS_VALUE_MARGIN;

    return NGX_OK;
}


ngx_int_t
ngx_redis_intake(ngx_redis_stream_t *stream)
{
    ssize_t            n;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = stream->peer.connection;
    rc = NGX_AGAIN;

    for ( ;; ) {
        n = c->recv(c, stream->buffer, NGX_REDIS_BUFFER_SIZE);

        if (n == NGX_AGAIN) {
            return rc;
        }

        if (n == NGX_ERROR || n == 0) {
            stream->hooks->hung_up(stream, n);
            return NGX_ERROR;
        }

        if (!stream->spoke) {
            stream->spoke = 1;

            if (ngx_redis_intake_first_byte(stream) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        rc = NGX_OK;

        stream->hooks->heard(stream);

        if (ngx_redis_intake_replies(stream, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


/* those that are expected in a few shapes are read where they lie, where they
   are whole; the reader takes the rest */

static ngx_int_t
ngx_redis_intake_replies(ngx_redis_stream_t *stream, size_t n)
{
    char               *p, *last;
    size_t              taken;
    ngx_redis_swift_t   swift;

    p = (char *) stream->buffer;
    last = p + n;

    while (p < last
           && ngx_redis_sieve_idle(&stream->sieve, stream->reader)
           && stream->hooks->swift(stream))
    {
        taken = ngx_redis_swift(p, last - p, stream->sieve.max, &swift);

        if (taken == 0) {
            break;
        }

        p += taken;

        if (stream->hooks->reply(stream, &swift.reply) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (p == last) {
        return NGX_OK;
    }

    if (ngx_redis_intake_feed(stream, p, last - p) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_redis_intake_parse(stream);
}


static ngx_int_t
ngx_redis_intake_feed(ngx_redis_stream_t *stream, const char *p, size_t n)
{
    switch (ngx_redis_sieve(&stream->sieve, stream->reader, p, n))
    {
    case 1:
        break;

    case 0:
        ngx_log_error(NGX_LOG_ERR, stream->log, 0,
                      "redis sent an invalid reply");
        stream->hooks->nonsense(stream);
        return NGX_ERROR;

    default: /* -1 */
        ngx_log_error(NGX_LOG_CRIT, stream->log, 0,
                      "redisReaderFeed() failed");
        return NGX_ERROR;
    }

    if (stream->sieve.dropped) {
        ngx_log_error(NGX_LOG_ERR,
                      ngx_redis_tally_to(stream->log, ngx_cycle->log), 0,
                      "redis sent %uz bytes in one value, of more than %uz "
                      "nothing is kept",
                      stream->sieve.dropped, stream->sieve.max);
        stream->sieve.dropped = 0;
    }

    return NGX_OK;
}


/* an alert of TLS begins with a byte that no reply begins with */

static ngx_int_t
ngx_redis_intake_first_byte(ngx_redis_stream_t *stream)
{
    if (stream->buffer[0] != NGX_REDIS_ALERT) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, stream->log, 0,
                  "redis speaks TLS at this port, for which a URL begins with "
                  "\"rediss\"");

    return NGX_ERROR;
}


static ngx_int_t
ngx_redis_intake_parse(ngx_redis_stream_t *stream)
{
    void       *reply;
    ngx_int_t   rc;

    for ( ;; ) {

        if (redisReaderGetReply(stream->reader, &reply) != REDIS_OK) {
            ngx_log_error(NGX_LOG_ERR, stream->log, 0,
                          "redis sent an invalid reply");
            stream->hooks->nonsense(stream);
            return NGX_ERROR;
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        rc = stream->hooks->reply(stream, reply);

        if (rc == NGX_DONE) {
            continue;                   /* it is kept */
        }

        freeReplyObject(reply);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
}
