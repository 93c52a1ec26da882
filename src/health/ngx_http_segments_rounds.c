
/*
 * A Redis that nobody uses may be gone, and nobody knows before the next create
 * does.  Where what happens is counted, each worker asks once in a while, and
 * what it finds is in ngx_redis_unusable().
 */


#include "health/ngx_http_segments_rounds.h"


/* milliseconds */
#define NGX_HTTP_SEGMENTS_ROUND   5000


/* in the cycle's pool, which outlives the worker's connections to Redis */
typedef struct {
    ngx_event_t                   timer;
    ngx_array_t                  *needed;
    ngx_redis_visitor_t          *visitor;      /* one for each */
} ngx_http_segments_rounds_t;


static void ngx_http_segments_rounds_cleanup(void *data);
static void ngx_http_segments_rounds_handler(ngx_event_t *ev);
static void ngx_http_segments_rounds_known(void *data);


ngx_int_t
ngx_http_segments_rounds_init(ngx_cycle_t *cycle,
    ngx_http_segments_main_conf_t *smcf)
{
    ngx_uint_t                  i, n;
    ngx_pool_cleanup_t         *cln;
    ngx_http_segments_rounds_t  *rounds;

    n = smcf->needed.nelts;

    if (smcf->metrics.zone == NULL || n == 0) {
        return NGX_OK;
    }

    rounds = ngx_pcalloc(cycle->pool, sizeof(ngx_http_segments_rounds_t)
                                     + n * sizeof(ngx_redis_visitor_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (rounds == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    rounds->needed = &smcf->needed;
    rounds->visitor = (ngx_redis_visitor_t *) &rounds[1];

    for (i = 0; i < n; i++) {
        ngx_queue_init(&rounds->visitor[i].queue);
        rounds->visitor[i].handler = ngx_http_segments_rounds_known;
    }

    rounds->timer.handler = ngx_http_segments_rounds_handler;
    rounds->timer.data = rounds;
    rounds->timer.log = cycle->log;
    rounds->timer.cancelable = 1;

    cln->handler = ngx_http_segments_rounds_cleanup;
    cln->data = rounds;

    ngx_add_timer(&rounds->timer, NGX_HTTP_SEGMENTS_ROUND);

    return NGX_OK;
}


static void
ngx_http_segments_rounds_cleanup(void *data)
{
    ngx_http_segments_rounds_t *rounds = data;

    if (rounds->timer.timer_set) {
        ngx_del_timer(&rounds->timer);
    }
}


/* without memory it is asked next time */

static void
ngx_http_segments_rounds_handler(ngx_event_t *ev)
{
    ngx_http_segments_rounds_t *rounds = ev->data;

    ngx_uint_t                   i;
    ngx_http_segments_needed_t  *need;

    if (ngx_exiting) {
        return;
    }

    need = rounds->needed->elts;

    for (i = 0; i < rounds->needed->nelts; i++) {

        if (ngx_queue_empty(&rounds->visitor[i].queue)) {
            (void) ngx_redis_checkup(need[i].redis, &need[i].options,
                                     &rounds->visitor[i]);
        }
    }

    ngx_add_timer(ev, NGX_HTTP_SEGMENTS_ROUND);
}


static void
ngx_http_segments_rounds_known(void *data)
{
}
