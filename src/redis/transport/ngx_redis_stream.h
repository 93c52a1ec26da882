
/*
 * One connection: bytes out, replies in.
 */

#ifndef _NGX_REDIS_STREAM_H_INCLUDED_
#define _NGX_REDIS_STREAM_H_INCLUDED_


#include "redis/transport/ngx_redis_site.h"
#include "redis/reply/ngx_redis_sieve.h"
#include <ngx_event_connect.h>


#define NGX_REDIS_BUFFER_SIZE     16384
#define NGX_REDIS_VALUE_MARGIN    (1024 * 1024)     /* bytes of a reply's value,
                                                       beyond what is stored */


typedef struct ngx_redis_stream_s  ngx_redis_stream_t;


/*
 * Whom it tells what.  "failed", "timed_out" and "closed" may close it; no
 * hook may free it.
 */
typedef struct {

    /* the system has connected, or knows why not: NGX_OK when replies may
       come */
    ngx_int_t              (*opened)(ngx_redis_stream_t *stream);

    /* the TLS handshake is done */
    void                   (*secured)(ngx_redis_stream_t *stream);

    /* what is to be written, or NULL; some of it was */
    ngx_chain_t           *(*unwritten)(ngx_redis_stream_t *stream);
    void                   (*written)(ngx_redis_stream_t *stream);

    /* something was read; of that a reply: NGX_OK, NGX_DONE when it is kept,
       or NGX_ERROR; all there was */
    void                   (*heard)(ngx_redis_stream_t *stream);
    ngx_int_t              (*reply)(ngx_redis_stream_t *stream,
                                    redisReply *reply);
    void                   (*taken)(ngx_redis_stream_t *stream);

    /* whether the next reply may be read where it lies: it is not kept */
    ngx_uint_t             (*swift)(ngx_redis_stream_t *stream);

    /* what was read is no reply; the other side has closed (0), or an error
       was logged: "failed" follows */
    void                   (*nonsense)(ngx_redis_stream_t *stream);
    void                   (*hung_up)(ngx_redis_stream_t *stream, ssize_t n);

    /* the read timer: NGX_ERROR when it is to fail; the write timer */
    ngx_int_t              (*silent)(ngx_redis_stream_t *stream);
    void                   (*timed_out)(ngx_redis_stream_t *stream);

    void                   (*failed)(ngx_redis_stream_t *stream);

    /* nginx wants idle connections closed */
    void                   (*closed)(ngx_redis_stream_t *stream);
} ngx_redis_stream_hooks_t;


struct ngx_redis_stream_s {
    const ngx_redis_stream_hooks_t  *hooks;
    ngx_redis_t             *redis;
    ngx_redis_site_t        *site;
    ngx_log_t               *log;
    ngx_peer_connection_t    peer;      /* .connection is NULL when down */
    redisReader             *reader;    /* from the greeting on */
    ngx_redis_sieve_t        sieve;     /* before it */
    ngx_redis_stream_t      *late;      /* an older one, from which what this
                                           one waits for may come, or NULL */
    ngx_msec_t               started;   /* when connecting began */
    ngx_msec_t               timeout;   /* of that */
#if (NGX_SSL)
    ngx_event_handler_pt     handshake; /* nginx' own, until the first byte was
                                           looked at */
#endif
    unsigned                 connecting:1;
    unsigned                 spoke:1;   /* something was read, of TLS or of
                                           what it holds */
    unsigned                 overdue:1; /* a timer has passed once */
    u_char                   buffer[NGX_REDIS_BUFFER_SIZE];
};


/* as ngx_event_connect_peer(); NGX_AGAIN: "opened" follows */
ngx_int_t ngx_redis_stream_connect(ngx_redis_stream_t *stream,
    ngx_addr_t *addr, ngx_msec_t timeout);

/* writes what there is to be written; NGX_ERROR: it has failed */
ngx_int_t ngx_redis_stream_send(ngx_redis_stream_t *stream);

/* TLS has been closed */
void ngx_redis_stream_close(ngx_redis_stream_t *stream);

/* reads, later in this turn, what has arrived and was not reported yet */
void ngx_redis_stream_catch_up(ngx_redis_stream_t *stream);

/* milliseconds that what was due at "due", after "timeout", gets once more: a
   turn of the event loop, and some where the worker itself is late */
ngx_msec_t ngx_redis_grace(ngx_msec_t due, ngx_msec_t timeout);

void ngx_redis_stream_read_handler(ngx_event_t *rev);
void ngx_redis_stream_write_handler(ngx_event_t *wev);


#endif /* _NGX_REDIS_STREAM_H_INCLUDED_ */
