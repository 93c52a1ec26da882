
/*
 * When a connection is tried again.
 *
 * The workers of many hosts lose Redis at the same moment, and want it back as
 * soon as it is there: pauses are random, a worker tries at most five times in
 * any second, and no pause is longer than NGX_REDIS_BACKOFF_MAX.
 */


#include "redis/transport/ngx_redis_backoff.h"


/* milliseconds */
#define NGX_REDIS_BACKOFF_MIN     50
#define NGX_REDIS_BACKOFF_MAX     400


/*
 * Milliseconds between a try and the last one, the last but one, and so on.
 * The fifth limits the rate; those before it keep what it asks for below
 * NGX_REDIS_BACKOFF_MAX.
 */

static ngx_msec_t  ngx_redis_backoff_least[NGX_REDIS_TRIES] = {
    NGX_REDIS_BACKOFF_MIN, 0, 200, 600, 1000
};


void
ngx_redis_backoff_try(ngx_redis_backoff_t *backoff)
{
    ngx_uint_t  i;

    for (i = NGX_REDIS_TRIES - 1; i > 0; i--) {
        backoff->tries[i] = backoff->tries[i - 1];
    }

    backoff->tries[0] = ngx_current_msec;

    if (backoff->ntries < NGX_REDIS_TRIES) {
        backoff->ntries++;
    }
}


/*
 * The turn of the event loop, whose time it is otherwise, may have begun long
 * before, and the next try's may just have.
 */

void
ngx_redis_backoff_tried(ngx_redis_backoff_t *backoff)
{
    ngx_time_update();

    backoff->tries[0] = ngx_current_msec;
}


void
ngx_redis_backoff_pause(ngx_redis_backoff_t *backoff)
{
    ngx_uint_t      i;
    ngx_msec_t      pause, limit;
    ngx_msec_int_t  least;

    limit = ngx_min((ngx_msec_t) NGX_REDIS_BACKOFF_MIN
                    << (1 + ngx_min(backoff->failures, 3)),
                    NGX_REDIS_BACKOFF_MAX);

    pause = NGX_REDIS_BACKOFF_MIN
            + ngx_random() % (limit - NGX_REDIS_BACKOFF_MIN + 1);

    for (i = 0; i < backoff->ntries; i++) {
        least = (ngx_msec_int_t) (backoff->tries[i]
                                  + ngx_redis_backoff_least[i]
                                  - ngx_current_msec);

        if (least > (ngx_msec_int_t) pause) {
            pause = (ngx_msec_t) least;
        }
    }

    ngx_add_timer(&backoff->timer, ngx_min(pause, NGX_REDIS_BACKOFF_MAX));
}
