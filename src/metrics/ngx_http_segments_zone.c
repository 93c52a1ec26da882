
/*
 * The memory that all workers count in.  A reload goes on with it, and so do
 * the old workers; nothing in it is freed.
 *
 * What is so at the moment is said by each worker in places of its own, which
 * nobody else writes to: one that was killed takes nothing along but these.
 */


#include "metrics/ngx_http_segments_metrics.h"


/* between two looks at the Redis servers, milliseconds */
#define NGX_HTTP_SEGMENTS_PUBLISH  1000


static ngx_int_t ngx_http_segments_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_http_segments_init_counts(ngx_slab_pool_t *shpool,
    ngx_http_segments_meter_t *meter);
static ngx_int_t ngx_http_segments_init_redis_state(ngx_slab_pool_t *shpool,
    ngx_http_segments_redis_gauge_t *gauge);
static ngx_http_segments_zone_t *ngx_http_segments_shared(
    ngx_http_segments_main_conf_t *smcf);
static ngx_int_t ngx_http_segments_publish_init(ngx_cycle_t *cycle,
    ngx_http_segments_main_conf_t *smcf);
static void ngx_http_segments_publish_cleanup(void *data);
static void ngx_http_segments_publish_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_segments_alive(ngx_http_segments_slot_t *slot);


/* this worker's; NULL without a zone */
static ngx_http_segments_slot_t  *ngx_http_segments_slot;


char *
ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_main_conf_t *smcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (smcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (size < (ssize_t) (2 * sizeof(ngx_http_segments_zone_t))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small: it needs %uzk at least",
                           &value[1],
                           2 * sizeof(ngx_http_segments_zone_t) / 1024 + 1);
        return NGX_CONF_ERROR;
    }

    smcf->zone = ngx_shared_memory_add(cf, &value[1], size,
                                       &ngx_http_segments_module);
    if (smcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    smcf->zone->init = ngx_http_segments_init_zone;
    smcf->zone->data = smcf;

    return NGX_CONF_OK;
}


ngx_http_segments_meter_t *
ngx_http_segments_meter(ngx_conf_t *cf, ngx_http_segments_main_conf_t *smcf)
{
    ngx_uint_t                   i;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_segments_meter_t  **meter, *m;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    meter = smcf->meters.elts;

    for (i = 0; i < smcf->meters.nelts; i++) {

        m = meter[i];

        if (m->server.len == cscf->server_name.len
            && m->location.len == clcf->name.len
            && ngx_strncmp(m->server.data, cscf->server_name.data,
                           m->server.len)
               == 0
            && ngx_strncmp(m->location.data, clcf->name.data, m->location.len)
               == 0)
        {
            return m;
        }
    }

    m = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_meter_t));
    meter = ngx_array_push(&smcf->meters);
    if (m == NULL || meter == NULL) {
        return NULL;
    }

    m->server = cscf->server_name;
    m->location = clcf->name;

    *meter = m;

    return m;
}


ngx_int_t
ngx_http_segments_zone_init(ngx_conf_t *cf)
{
    ngx_uint_t                        i;
    ngx_redis_t                     **redis;
    ngx_http_handler_pt              *h;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_segments_main_conf_t    *smcf;
    ngx_http_segments_redis_gauge_t  *gauge;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    if (smcf->metrics.cscf && smcf->zone == NULL) {
        ngx_http_segments_enter_place(cf->log, &smcf->metrics);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"segments_metrics\" needs \"segments_zone\" at "
                           "the http level");
        ngx_http_segments_leave_place(cf->log, &smcf->metrics);
        return NGX_ERROR;
    }

    if (smcf->zone == NULL) {
        return NGX_OK;
    }

    redis = smcf->nodes.elts;

    for (i = 0; i < smcf->nodes.nelts; i++) {

        gauge = ngx_array_push(&smcf->redis_gauges);
        if (gauge == NULL) {
            return NGX_ERROR;
        }

        gauge->redis = redis[i];
        gauge->state = NULL;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_segments_count;

    return NGX_OK;
}


/*
 * After a reload the memory is the old workers', too.  Another version of this
 * module, or another size, gets new memory from nginx.
 */

static ngx_int_t
ngx_http_segments_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_int_t                         rc;
    ngx_uint_t                        i;
    ngx_slab_pool_t                  *shpool;
    ngx_http_segments_zone_t         *shared;
    ngx_http_segments_meter_t       **meter;
    ngx_http_segments_main_conf_t    *smcf;
    ngx_http_segments_redis_gauge_t  *gauge;

    smcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (shpool->data == NULL) {
        shared = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_zone_t));
        if (shared == NULL) {
            return NGX_ERROR;
        }

        shpool->data = shared;
        shpool->log_nomem = 0;
    }

    rc = NGX_OK;
    meter = smcf->meters.elts;
    gauge = smcf->redis_gauges.elts;

    for (i = 0; i < smcf->meters.nelts && rc == NGX_OK; i++) {
        rc = ngx_http_segments_init_counts(shpool, meter[i]);
    }

    for (i = 0; i < smcf->redis_gauges.nelts && rc == NGX_OK; i++) {
        rc = ngx_http_segments_init_redis_state(shpool, &gauge[i]);
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
ngx_http_segments_init_counts(ngx_slab_pool_t *shpool,
    ngx_http_segments_meter_t *meter)
{
    u_char                      *p;
    ngx_http_segments_zone_t    *shared;
    ngx_http_segments_counts_t  *counts;

    shared = shpool->data;

    for (counts = shared->counts; counts; counts = counts->next) {

        if (counts->server.len == meter->server.len
            && counts->location.len == meter->location.len
            && ngx_memcmp(counts->server.data, meter->server.data,
                          meter->server.len)
               == 0
            && ngx_memcmp(counts->location.data, meter->location.data,
                          meter->location.len)
               == 0)
        {
            meter->counts = counts;
            return NGX_OK;
        }
    }

    counts = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_counts_t)
                                     + meter->server.len + meter->location.len);
    if (counts == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) &counts[1];

    counts->server.data = p;
    counts->server.len = meter->server.len;
    p = ngx_cpymem(p, meter->server.data, meter->server.len);

    counts->location.data = p;
    counts->location.len = meter->location.len;
    ngx_memcpy(p, meter->location.data, meter->location.len);

    counts->next = shared->counts;
    shared->counts = counts;

    meter->counts = counts;

    return NGX_OK;
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


static ngx_http_segments_zone_t *
ngx_http_segments_shared(ngx_http_segments_main_conf_t *smcf)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) smcf->zone->shm.addr;

    return shpool->data;
}


/* a process that takes another's place finds what that one left there */

ngx_int_t
ngx_http_segments_zone_begin(ngx_cycle_t *cycle,
    ngx_http_segments_main_conf_t *smcf)
{
    ngx_http_segments_zone_t         *shared;
    ngx_http_segments_redis_state_t  *state;

    if (smcf->zone == NULL) {
        return NGX_OK;
    }

    shared = ngx_http_segments_shared(smcf);

    ngx_http_segments_slot = &shared->slots[ngx_process_slot];

    ngx_memzero(ngx_http_segments_slot, sizeof(ngx_http_segments_slot_t));

    for (state = shared->redis; state; state = state->next) {
        state->unusable[ngx_process_slot] = 0;
    }

    ngx_http_segments_slot->pid = ngx_pid;

    return ngx_http_segments_publish_init(cycle, smcf);
}


void
ngx_http_segments_zone_end(void)
{
    if (ngx_http_segments_slot) {
        ngx_http_segments_slot->pid = 0;
        ngx_http_segments_slot = NULL;
    }
}


void
ngx_http_segments_set_gauge(ngx_http_segments_gauge_e gauge, ngx_uint_t value)
{
    if (ngx_http_segments_slot) {
        ngx_http_segments_slot->gauges[gauge] = value;
    }
}


/* who asks may have another worker: each says in time what it knows */

static ngx_int_t
ngx_http_segments_publish_init(ngx_cycle_t *cycle,
    ngx_http_segments_main_conf_t *smcf)
{
    ngx_event_t         *ev;
    ngx_pool_cleanup_t  *cln;

    if (smcf->redis_gauges.nelts == 0
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
    ev->data = smcf;
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
    ngx_http_segments_main_conf_t *smcf = ev->data;

    ngx_uint_t                        i, n, unusable;
    ngx_http_segments_redis_gauge_t  *gauge;

    gauge = smcf->redis_gauges.elts;

    for (i = 0; i < smcf->redis_gauges.nelts; i++) {

        unusable = 0;

        for (n = 0; n < smcf->redis_gauges.nelts; n++) {
            if (gauge[n].state == gauge[i].state) {
                unusable |= ngx_redis_unusable(gauge[n].redis);
            }
        }

        gauge[i].state->unusable[ngx_process_slot] = unusable;
    }

    ngx_add_timer(ev, NGX_HTTP_SEGMENTS_PUBLISH);
}


ngx_uint_t
ngx_http_segments_gauge_sum(ngx_http_segments_main_conf_t *smcf,
    ngx_http_segments_gauge_e gauge)
{
    ngx_uint_t                 i, sum;
    ngx_http_segments_slot_t  *slot;

    sum = 0;
    slot = ngx_http_segments_shared(smcf)->slots;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        if (slot[i].gauges[gauge] && ngx_http_segments_alive(&slot[i])) {
            sum += slot[i].gauges[gauge];
        }
    }

    return sum;
}


ngx_uint_t
ngx_http_segments_gauge_max(ngx_http_segments_main_conf_t *smcf,
    ngx_http_segments_gauge_e gauge)
{
    ngx_uint_t                 i, max;
    ngx_http_segments_slot_t  *slot;

    max = 0;
    slot = ngx_http_segments_shared(smcf)->slots;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        if (slot[i].gauges[gauge] > max && ngx_http_segments_alive(&slot[i])) {
            max = slot[i].gauges[gauge];
        }
    }

    return max;
}


ngx_uint_t
ngx_http_segments_redis_unusable(ngx_http_segments_main_conf_t *smcf,
    ngx_http_segments_redis_state_t *state)
{
    ngx_uint_t                 i, n;
    ngx_http_segments_slot_t  *slot;

    n = 0;
    slot = ngx_http_segments_shared(smcf)->slots;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        n += state->unusable[i] && ngx_http_segments_alive(&slot[i]);
    }

    return n;
}


/* an old worker that was killed leaves its place to nobody at once */

static ngx_uint_t
ngx_http_segments_alive(ngx_http_segments_slot_t *slot)
{
    ngx_pid_t  pid;

    pid = slot->pid;

    return pid && (kill(pid, 0) == 0 || ngx_errno != NGX_ESRCH);
}
