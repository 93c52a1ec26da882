
/*
 * The memory that all workers count in.  A reload goes on with it, and so do
 * the old workers; nothing in it is freed.
 */


#include "metrics/ngx_http_segments_zone.h"


/* between two looks at the Redis servers, milliseconds */
#define NGX_HTTP_SEGMENTS_PUBLISH  1000


static ngx_int_t ngx_http_segments_init_redis_state(ngx_slab_pool_t *shpool,
    ngx_http_segments_redis_gauge_t *gauge);
static ngx_int_t ngx_http_segments_init_compared(ngx_slab_pool_t *shpool,
    ngx_http_segments_metrics_conf_t *mcf);
static void ngx_http_segments_publish_cleanup(void *data);
static void ngx_http_segments_publish_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_segments_zone_init(ngx_http_segments_metrics_conf_t *mcf,
    ngx_array_t *nodes)
{
    ngx_uint_t                        i;
    ngx_redis_t                     **redis;
    ngx_http_segments_redis_gauge_t  *gauge;

    if (mcf->zone == NULL) {
        return NGX_OK;
    }

    redis = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {

        gauge = ngx_array_push(&mcf->redis_gauges);
        if (gauge == NULL) {
            return NGX_ERROR;
        }

        gauge->redis = redis[i];
        gauge->state = NULL;
    }

    return NGX_OK;
}


/*
 * After a reload the memory is the old workers', too.  Another version of this
 * module, or another size, gets new memory from nginx.
 */

ngx_int_t
ngx_http_segments_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_int_t                          rc;
    ngx_uint_t                         i;
    ngx_slab_pool_t                   *shpool;
    ngx_http_segments_zone_t          *shared;
    ngx_http_segments_meter_t        **meter;
    ngx_http_segments_metrics_conf_t  *mcf;
    ngx_http_segments_redis_gauge_t   *gauge;

    mcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (shpool->data == NULL) {
        shared = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_zone_t));
        if (shared == NULL) {
            return NGX_ERROR;
        }

        shpool->data = shared;
        shpool->log_nomem = 0;
    }

    shared = shpool->data;

    rc = NGX_OK;
    meter = mcf->meters.elts;
    gauge = mcf->redis_gauges.elts;

    for (i = 0; i < mcf->meters.nelts && rc == NGX_OK; i++) {
        rc = ngx_http_segments_init_counts(shpool, &shared->counts,
                                           meter[i]);
    }

    for (i = 0; i < mcf->redis_gauges.nelts && rc == NGX_OK; i++) {
        rc = ngx_http_segments_init_redis_state(shpool, &gauge[i]);
    }

    if (mcf->compares && rc == NGX_OK) {
        rc = ngx_http_segments_init_compared(shpool, mcf);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" is too small for the guarded locations "
                      "that it has seen: give it another size",
                      &zone->shm.name);
    }

    return rc;
}


static ngx_int_t
ngx_http_segments_init_redis_state(ngx_slab_pool_t *shpool,
    ngx_http_segments_redis_gauge_t *gauge)
{
    ngx_str_t                        *name;
    ngx_http_segments_zone_t         *shared;
    ngx_http_segments_redis_state_t  *state;

    shared = shpool->data;
    name = ngx_redis_name(gauge->redis);

    for (state = shared->redis; state; state = state->next) {

        if (state->name.len == name->len
            && ngx_memcmp(state->name.data, name->data, name->len) == 0)
        {
            gauge->state = state;
            return NGX_OK;
        }
    }

    state = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_redis_state_t)
                                    + name->len);
    if (state == NULL) {
        return NGX_ERROR;
    }

    state->name.data = (u_char *) &state[1];
    state->name.len = name->len;
    ngx_memcpy(state->name.data, name->data, name->len);

    state->next = shared->redis;
    shared->redis = state;

    gauge->state = state;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_init_compared(ngx_slab_pool_t *shpool,
    ngx_http_segments_metrics_conf_t *mcf)
{
    ngx_http_segments_zone_t  *shared;

    shared = shpool->data;

    if (shared->compared == NULL) {
        shared->compared = ngx_slab_calloc(shpool,
                                         sizeof(ngx_http_segments_compared_t));
    }

    mcf->compared = shared->compared;

    return mcf->compared ? NGX_OK : NGX_ERROR;
}


/* who asks may have another worker: each says in time what it knows */

ngx_int_t
ngx_http_segments_publish_init(ngx_cycle_t *cycle,
    ngx_http_segments_metrics_conf_t *mcf)
{
    ngx_event_t         *ev;
    ngx_pool_cleanup_t  *cln;

    if (mcf->zone == NULL
        || mcf->redis_gauges.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ev = ngx_pcalloc(cycle->pool, sizeof(ngx_event_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (ev == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_segments_publish_cleanup;
    cln->data = ev;

    ev->handler = ngx_http_segments_publish_handler;
    ev->data = mcf;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_SEGMENTS_PUBLISH);

    return NGX_OK;
}


static void
ngx_http_segments_publish_cleanup(void *data)
{
    ngx_event_t *ev = data;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }
}


/* one address may be another Redis for another user: either counts */

static void
ngx_http_segments_publish_handler(ngx_event_t *ev)
{
    ngx_http_segments_metrics_conf_t *mcf = ev->data;

    ngx_uint_t                        i, n, unusable;
    ngx_http_segments_redis_gauge_t  *gauge;

    gauge = mcf->redis_gauges.elts;

    for (i = 0; i < mcf->redis_gauges.nelts; i++) {

        unusable = 0;

        for (n = 0; n < mcf->redis_gauges.nelts; n++) {
            if (gauge[n].state == gauge[i].state) {
                unusable |= ngx_redis_unusable(gauge[n].redis);
            }
        }

        gauge[i].state->unusable[ngx_process_slot] = unusable;
    }

    ngx_add_timer(ev, NGX_HTTP_SEGMENTS_PUBLISH);
}
