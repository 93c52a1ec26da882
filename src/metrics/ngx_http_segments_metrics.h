
/*
 * What an operator watches: counters in shared memory, added to without locks,
 * and what is so at the moment in each worker.
 *
 *     zone       ngx_http_segments_zone.c       the memory; the workers' gauges
 *     count      ngx_http_segments_count.c      a request has ended
 *     metrics    ngx_http_segments_metrics.c    Prometheus asks
 */

#ifndef _NGX_HTTP_SEGMENTS_METRICS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_METRICS_H_INCLUDED_


#include "life/ngx_http_segments_module.h"


#define NGX_HTTP_SEGMENTS_OUTCOMES  (ngx_http_segments_failed + 1)
#define NGX_HTTP_SEGMENTS_CLASSES   4       /* of statuses: 2xx to 5xx */
#define NGX_HTTP_SEGMENTS_BOUNDS    12      /* of a histogram */


/* what a request has spent */
typedef enum {
    ngx_http_segments_time_redis = 0,
    ngx_http_segments_time_upstream
} ngx_http_segments_time_e;

#define NGX_HTTP_SEGMENTS_TIMES     (ngx_http_segments_time_upstream + 1)


/* what a worker says of itself */
typedef enum {
    ngx_http_segments_gauge_waiting = 0,        /* duplicates */
    ngx_http_segments_gauge_background,         /* claims without a request */
    ngx_http_segments_gauge_refused             /* key files */
} ngx_http_segments_gauge_e;

#define NGX_HTTP_SEGMENTS_GAUGES    (ngx_http_segments_gauge_refused + 1)


/* the following are in shared memory, and are never freed there */

typedef struct {
    ngx_atomic_t                      counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_atomic_t                      sum;      /* milliseconds */
} ngx_http_segments_histogram_t;


struct ngx_http_segments_counts_s {
    ngx_http_segments_counts_t       *next;
    ngx_str_t                         server;
    ngx_str_t                         location;
    ngx_atomic_t                      outcomes[NGX_HTTP_SEGMENTS_OUTCOMES];
    ngx_atomic_t                      responses[NGX_HTTP_SEGMENTS_CLASSES];
    ngx_http_segments_histogram_t     times[NGX_HTTP_SEGMENTS_TIMES];
};


struct ngx_http_segments_redis_state_s {
    ngx_http_segments_redis_state_t  *next;
    ngx_str_t                         name;
    u_char                            unusable[NGX_MAX_PROCESSES];
};


/* of the process that has this place among the master's */
typedef struct {
    ngx_atomic_t                      pid;      /* 0: nobody's */
    ngx_atomic_t                      gauges[NGX_HTTP_SEGMENTS_GAUGES];
} ngx_http_segments_slot_t;


typedef struct {
    ngx_http_segments_counts_t       *counts;
    ngx_http_segments_redis_state_t  *redis;
    ngx_http_segments_slot_t          slots[NGX_MAX_PROCESSES];
} ngx_http_segments_zone_t;


/* ngx_http_segments_zone.c */

/* the directive */
char *ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Of the guarded location at hand: one for all of its blocks, and over reloads.
 * NULL when memory failed; call it only where there is a zone.
 */
ngx_http_segments_meter_t *ngx_http_segments_meter(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf);

/* for postconfiguration */
ngx_int_t ngx_http_segments_zone_init(ngx_conf_t *cf);

/* for init_process and exit_process */
ngx_int_t ngx_http_segments_zone_begin(ngx_cycle_t *cycle,
    ngx_http_segments_main_conf_t *smcf);
void ngx_http_segments_zone_end(void);

/* legal in every process and with every configuration */
void ngx_http_segments_set_gauge(ngx_http_segments_gauge_e gauge,
    ngx_uint_t value);

/* of the processes that live: their sum, or the largest; where there is a
   zone */
ngx_uint_t ngx_http_segments_gauge_sum(ngx_http_segments_main_conf_t *smcf,
    ngx_http_segments_gauge_e gauge);
ngx_uint_t ngx_http_segments_gauge_max(ngx_http_segments_main_conf_t *smcf,
    ngx_http_segments_gauge_e gauge);

/* how many of them find it so */
ngx_uint_t ngx_http_segments_redis_unusable(
    ngx_http_segments_main_conf_t *smcf,
    ngx_http_segments_redis_state_t *state);


/* ngx_http_segments_count.c */

/* for the log phase */
ngx_int_t ngx_http_segments_count(ngx_http_request_t *r);

/* NGX_HTTP_SEGMENTS_BOUNDS of them, in milliseconds */
const unsigned *ngx_http_segments_bounds(ngx_http_segments_time_e time);


/* ngx_http_segments_metrics.c */

/* the directive, and the content handler that it sets */
char *ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_segments_metrics_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_METRICS_H_INCLUDED_ */
