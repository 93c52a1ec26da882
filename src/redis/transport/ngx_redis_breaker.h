
/*
 * Whether anything works.
 */

#ifndef _NGX_REDIS_BREAKER_H_INCLUDED_
#define _NGX_REDIS_BREAKER_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


/* closed -> open -> closed; only ngx_redis_breaker.c moves it */
typedef struct {
    ngx_uint_t               failed;    /* in a row */
    ngx_msec_t               moment;    /* of the last of them */
    ngx_uint_t               failures;  /* so many open it, 0: none do */
    ngx_msec_t               retry;
    ngx_msec_t               timeout;   /* of a probe */
    ngx_event_t              timer;     /* open: the next probe */
    unsigned                 open:1;
} ngx_redis_breaker_t;


/* "handler" makes a probe, and sets the timer again */
void ngx_redis_breaker_init(ngx_redis_breaker_t *breaker,
    ngx_event_handler_pt handler, void *data, ngx_log_t *log);
void ngx_redis_breaker_end(ngx_redis_breaker_t *breaker);

/* whether a command with these options is to fail at once */
ngx_uint_t ngx_redis_breaker_refuses(ngx_redis_breaker_t *breaker,
    const ngx_redis_options_t *options);

/* deadlines have passed, or no address could be connected to; one turn of the
   event loop counts once.  Whether the breaker opens with this one. */
ngx_uint_t ngx_redis_breaker_failed(ngx_redis_breaker_t *breaker);

/* a reply came in time, or a connection is ready */
void ngx_redis_breaker_answered(ngx_redis_breaker_t *breaker);


#endif /* _NGX_REDIS_BREAKER_H_INCLUDED_ */
