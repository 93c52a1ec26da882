
/*
 * Whether a worker can use a Redis just now, for whoever wants to know.
 *
 *     idle --> asking --> telling --> idle
 *
 * idle stays where all is known at once.  A worker has one checkup of a Redis,
 * which is the map's, with its findings, until the next questions or the map's
 * end.  Whoever comes while it asks, or tells, is told with the others: a
 * visitor's memory is its own, in a queue and nothing else, so that one may
 * leave at any time while the questions stay out; their deadlines end them.
 */


#include "redis/topology/ngx_redis_checkup.h"
#include "redis/topology/ngx_redis_probes.h"


typedef enum {
    ngx_redis_checkup_idle = 0,
    ngx_redis_checkup_asking,
    ngx_redis_checkup_telling
} ngx_redis_checkup_state_e;


struct ngx_redis_checkup_s {
    ngx_redis_probes_t         probes;  /* the first */
    ngx_redis_checkup_state_e  state;
    ngx_queue_t                visitors;
};


static ngx_redis_checkup_t *ngx_redis_checkup_get(ngx_redis_map_t *map);
static void ngx_redis_checkup_tell(ngx_redis_probes_t *probes);


ngx_int_t
ngx_redis_checkup_visit(ngx_redis_t *redis, const ngx_redis_options_t *options,
    ngx_redis_visitor_t *visitor)
{
    ngx_int_t             rc;
    ngx_redis_checkup_t  *checkup;

    ngx_queue_init(&visitor->queue);

    checkup = ngx_redis_checkup_get(redis->map);
    if (checkup == NULL) {
        return NGX_ERROR;
    }

    if (checkup->state == ngx_redis_checkup_idle) {

        rc = ngx_redis_probes_send(&checkup->probes, options);

        if (rc != NGX_AGAIN) {
            return rc;
        }

        checkup->state = ngx_redis_checkup_asking;
    }

    ngx_queue_insert_tail(&checkup->visitors, &visitor->queue);

    return NGX_AGAIN;
}


static ngx_redis_checkup_t *
ngx_redis_checkup_get(ngx_redis_map_t *map)
{
    ngx_redis_checkup_t  *checkup;

    if (map->checkup) {
        return map->checkup;
    }

    checkup = ngx_calloc(sizeof(ngx_redis_checkup_t), ngx_cycle->log);
    if (checkup == NULL) {
        return NULL;
    }

    checkup->probes.map = map;
    checkup->probes.done = ngx_redis_checkup_tell;

    ngx_queue_init(&checkup->visitors);

    map->checkup = checkup;

    return checkup;
}


void
ngx_redis_checkup_leave(ngx_redis_visitor_t *visitor)
{
    ngx_queue_remove(&visitor->queue);
    ngx_queue_init(&visitor->queue);
}


const ngx_redis_finding_t *
ngx_redis_checkup_findings(ngx_redis_t *redis)
{
    return redis->map->checkup->probes.findings;
}


/* a handler may bring visitors, or take others along */

static void
ngx_redis_checkup_tell(ngx_redis_probes_t *probes)
{
    ngx_redis_checkup_t *checkup = (ngx_redis_checkup_t *) probes;

    ngx_queue_t          *q;
    ngx_redis_visitor_t  *visitor;

    checkup->state = ngx_redis_checkup_telling;

    while (!ngx_queue_empty(&checkup->visitors)) {
        q = ngx_queue_head(&checkup->visitors);

        visitor = ngx_queue_data(q, ngx_redis_visitor_t, queue);

        ngx_redis_checkup_leave(visitor);
        visitor->handler(visitor->data);
    }

    checkup->state = ngx_redis_checkup_idle;
}


void
ngx_redis_checkup_end(ngx_redis_t *redis)
{
    ngx_queue_t          *q;
    ngx_redis_checkup_t  *checkup;

    checkup = redis->map->checkup;

    if (checkup == NULL) {
        return;
    }

    ngx_redis_probes_stop(&checkup->probes);

    while (!ngx_queue_empty(&checkup->visitors)) {
        q = ngx_queue_head(&checkup->visitors);
        ngx_redis_checkup_leave(ngx_queue_data(q, ngx_redis_visitor_t, queue));
    }

    ngx_free(checkup);

    redis->map->checkup = NULL;
}
