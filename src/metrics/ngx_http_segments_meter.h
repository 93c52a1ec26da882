
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


/* what a request has spent */
typedef enum {
    ngx_http_segments_time_redis = 0,
    ngx_http_segments_time_upstream
} ngx_http_segments_time_e;

#define NGX_HTTP_SEGMENTS_TIMES     (ngx_http_segments_time_upstream + 1)


/* the following are in shared memory, and are never freed there */

typedef struct {
    ngx_atomic_t                      counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_atomic_t                      sum;      /* milliseconds */
} ngx_http_segments_histogram_t;


typedef struct ngx_http_segments_counts_s  ngx_http_segments_counts_t;


struct ngx_http_segments_counts_s {
    ngx_http_segments_counts_t       *next;
    ngx_str_t                         server;
    ngx_str_t                         location;
    ngx_atomic_t                      outcomes[NGX_HTTP_SEGMENTS_OUTCOMES];
    ngx_atomic_t                      responses[NGX_HTTP_SEGMENTS_CLASSES];
    ngx_http_segments_histogram_t     times[NGX_HTTP_SEGMENTS_TIMES];
};


/* what is counted of one guarded location */
typedef struct {
    ngx_str_t                     server;       /* its first name */
    ngx_str_t                     location;
    ngx_http_segments_counts_t   *counts;       /* in shared memory */
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

/* NGX_HTTP_SEGMENTS_BOUNDS of them, in milliseconds */
const unsigned *ngx_http_segments_bounds(ngx_http_segments_time_e time);

void ngx_http_segments_count_time(ngx_http_segments_counts_t *counts,
    ngx_http_segments_time_e which, ngx_msec_t time);


#endif /* _NGX_HTTP_SEGMENTS_METER_H_INCLUDED_ */
