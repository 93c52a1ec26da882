
/*
 * The memory that all workers count in.
 */

#ifndef _NGX_HTTP_SEGMENTS_ZONE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "metrics/ngx_http_segments_compared.h"
#include "metrics/ngx_http_segments_gauge.h"
#include "metrics/ngx_http_segments_meter.h"
#include "redis/ngx_redis.h"


typedef struct {
    ngx_http_segments_counts_t       *counts;
    ngx_http_segments_redis_state_t  *redis;
    ngx_http_segments_compared_t     *compared; /* NULL: nothing was yet */
    ngx_http_segments_slot_t          slots[NGX_MAX_PROCESSES];
} ngx_http_segments_zone_t;


/* what is shown of one Redis */
typedef struct {
    ngx_redis_t                      *redis;
    ngx_http_segments_redis_state_t  *state;    /* in shared memory */
} ngx_http_segments_redis_gauge_t;


struct ngx_http_segments_metrics_conf_s {
    ngx_shm_zone_t               *zone;         /* NULL: nothing is counted */
    ngx_array_t                   meters;       /* ngx_http_segments_meter_t *,
                                                   one for each location */
    ngx_array_t                   redis_gauges; /* ngx_http_segments_redis_
                                                   gauge_t */
    ngx_uint_t                    compares;     /* unsigned  compares:1; answers
                                                   with the documentation */
    ngx_http_segments_compared_t  *compared;    /* in shared memory, where there
                                                   is a zone and "compares" */
};


/* of zone->init, where zone->data is the configuration */
ngx_int_t ngx_http_segments_init_zone(ngx_shm_zone_t *zone, void *data);

/* for postconfiguration: "nodes" are shown */
ngx_int_t ngx_http_segments_zone_init(ngx_http_segments_metrics_conf_t *mcf,
    ngx_array_t *nodes);

/* for init_process */
ngx_int_t ngx_http_segments_publish_init(ngx_cycle_t *cycle,
    ngx_http_segments_metrics_conf_t *mcf);


#endif /* _NGX_HTTP_SEGMENTS_ZONE_H_INCLUDED_ */
