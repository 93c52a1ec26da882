
/*
 * What is counted of one guarded location.
 */

#ifndef _NGX_HTTP_SEGMENTS_METER_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_METER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "metrics/ngx_http_segments_outcome.h"


#define NGX_HTTP_SEGMENTS_CLASSES   4       /* of statuses: 2xx to 5xx */
#define NGX_HTTP_SEGMENTS_BOUNDS    12      /* of a histogram */


/* what is measured of a request */
typedef enum {
    ngx_http_segments_redis_ms = 0,             /* spent there */
    ngx_http_segments_upstream_ms,
    ngx_http_segments_record_bytes              /* of the answer that is kept */
} ngx_http_segments_measure_e;

#define NGX_HTTP_SEGMENTS_MEASURES  (ngx_http_segments_record_bytes + 1)


/* the following are in shared memory, and are never freed there */

typedef struct {
    ngx_atomic_t                      counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_atomic_t                      sum;
} ngx_http_segments_histogram_t;


typedef struct ngx_http_segments_refusals_s  ngx_http_segments_refusals_t;


/* of one limit */
struct ngx_http_segments_refusals_s {
    ngx_http_segments_refusals_t     *next;
    ngx_str_t                         limit;    /* its name */
    ngx_atomic_t                      refused;
    ngx_atomic_t                      dry_run;  /* it would have */
};


typedef struct ngx_http_segments_counts_s  ngx_http_segments_counts_t;


struct ngx_http_segments_counts_s {
    ngx_http_segments_counts_t       *next;
    ngx_str_t                         server;
    ngx_str_t                         location;
    ngx_atomic_t                      outcomes[NGX_HTTP_SEGMENTS_OUTCOMES];
    ngx_atomic_t                      responses[NGX_HTTP_SEGMENTS_CLASSES];
    ngx_http_segments_histogram_t     measures[NGX_HTTP_SEGMENTS_MEASURES];
    ngx_http_segments_refusals_t     *refusals;
};


/* a limit of a guarded location */
typedef struct {
    ngx_str_t                      name;
    ngx_http_segments_refusals_t  *refusals;    /* in shared memory */
} ngx_http_segments_limit_meter_t;


/* what is counted of one guarded location */
typedef struct {
    ngx_str_t                     server;       /* its first name */
    ngx_str_t                     location;
    ngx_http_segments_counts_t   *counts;       /* in shared memory */
    ngx_array_t                   limits;       /* ngx_http_segments_limit_
                                                   meter_t */
} ngx_http_segments_meter_t;


/*
 * Of the guarded location at hand: one for all of its blocks, and over reloads.
 * "meters" is of ngx_http_segments_meter_t *.  NULL when memory failed; call it
 * only where there is a zone.
 */
ngx_http_segments_meter_t *ngx_http_segments_meter(ngx_conf_t *cf,
    ngx_array_t *meters);

/* finds the counts of a meter among "all", or makes them there */
ngx_int_t ngx_http_segments_init_counts(ngx_slab_pool_t *shpool,
    ngx_http_segments_counts_t **all, ngx_http_segments_meter_t *meter);

/* NGX_HTTP_SEGMENTS_BOUNDS of them, in milliseconds or bytes */
const unsigned *ngx_http_segments_bounds(ngx_http_segments_measure_e which);

void ngx_http_segments_measure(ngx_http_segments_counts_t *counts,
    ngx_http_segments_measure_e which, ngx_uint_t value);


#endif /* _NGX_HTTP_SEGMENTS_METER_H_INCLUDED_ */
