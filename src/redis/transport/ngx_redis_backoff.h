
/*
 * Pauses between connections.
 */

#ifndef _NGX_REDIS_BACKOFF_H_INCLUDED_
#define _NGX_REDIS_BACKOFF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define NGX_REDIS_TRIES           5     /* of connecting, in a second */


typedef struct {
    ngx_msec_t               tries[NGX_REDIS_TRIES];    /* points in time, the
                                           last one first */
    ngx_uint_t               ntries;    /* of which these are known; of those
                                           before a command was answered, the
                                           last one */
    ngx_uint_t               failures;  /* connections in a row on which no
                                           command was answered */
    ngx_event_t              timer;     /* no connecting before */
} ngx_redis_backoff_t;


/* a round of connecting begins */
void ngx_redis_backoff_try(ngx_redis_backoff_t *backoff);

/* the round's first connect() was called */
void ngx_redis_backoff_tried(ngx_redis_backoff_t *backoff);

/* sets the timer before which there is no other one */
void ngx_redis_backoff_pause(ngx_redis_backoff_t *backoff);


#endif /* _NGX_REDIS_BACKOFF_H_INCLUDED_ */
