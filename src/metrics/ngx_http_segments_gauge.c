
/*
 * What is so at the moment is said by each worker in places of its own, which
 * nobody else writes to: one that was killed takes nothing along but these.
 */


#include "metrics/ngx_http_segments_gauge.h"
#include "metrics/ngx_http_segments_zone.h"


/* this worker's; NULL without a zone */
static ngx_http_segments_slot_t  *ngx_http_segments_slot;


static ngx_http_segments_zone_t *ngx_http_segments_shared(
    ngx_http_segments_metrics_conf_t *mcf);
static ngx_uint_t ngx_http_segments_alive(ngx_http_segments_slot_t *slot);


static ngx_http_segments_zone_t *
ngx_http_segments_shared(ngx_http_segments_metrics_conf_t *mcf)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) mcf->zone->shm.addr;

    return shpool->data;
}


/* a process that takes another's place finds what that one left there */

void
ngx_http_segments_zone_begin(ngx_http_segments_metrics_conf_t *mcf)
{
    ngx_http_segments_zone_t         *shared;
    ngx_http_segments_redis_state_t  *state;

    if (mcf->zone == NULL) {
        return;
    }

    shared = ngx_http_segments_shared(mcf);

    ngx_http_segments_slot = &shared->slots[ngx_process_slot];

    ngx_memzero(ngx_http_segments_slot, sizeof(ngx_http_segments_slot_t));

    for (state = shared->redis; state; state = state->next) {
        state->unusable[ngx_process_slot] = 0;
    }

    ngx_http_segments_slot->pid = ngx_pid;
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


ngx_uint_t
ngx_http_segments_gauge_sum(ngx_http_segments_metrics_conf_t *mcf,
    ngx_http_segments_gauge_e gauge)
{
    ngx_uint_t                 i, sum;
    ngx_http_segments_slot_t  *slot;

    sum = 0;
    slot = ngx_http_segments_shared(mcf)->slots;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        if (slot[i].gauges[gauge] && ngx_http_segments_alive(&slot[i])) {
            sum += slot[i].gauges[gauge];
        }
    }

    return sum;
}


ngx_uint_t
ngx_http_segments_gauge_max(ngx_http_segments_metrics_conf_t *mcf,
    ngx_http_segments_gauge_e gauge)
{
    ngx_uint_t                 i, max;
    ngx_http_segments_slot_t  *slot;

    max = 0;
    slot = ngx_http_segments_shared(mcf)->slots;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        if (slot[i].gauges[gauge] > max && ngx_http_segments_alive(&slot[i])) {
            max = slot[i].gauges[gauge];
        }
    }

    return max;
}


ngx_uint_t
ngx_http_segments_redis_unusable(ngx_http_segments_metrics_conf_t *mcf,
    ngx_http_segments_redis_state_t *state)
{
    ngx_uint_t                 i, n;
    ngx_http_segments_slot_t  *slot;

    n = 0;
    slot = ngx_http_segments_shared(mcf)->slots;

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
