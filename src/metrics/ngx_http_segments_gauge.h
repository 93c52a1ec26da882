
/*
 * What is so at the moment, as each worker says it.
 */

#ifndef _NGX_HTTP_SEGMENTS_GAUGE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_GAUGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* what a worker says of itself */
typedef enum {
    ngx_http_segments_gauge_waiting = 0,        /* duplicates */
    ngx_http_segments_gauge_background,         /* claims without a request */
    ngx_http_segments_gauge_refused             /* key files */
} ngx_http_segments_gauge_e;

#define NGX_HTTP_SEGMENTS_GAUGES    (ngx_http_segments_gauge_refused + 1)


/* the following are in shared memory, and are never freed there */

typedef struct ngx_http_segments_redis_state_s  ngx_http_segments_redis_state_t;


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


typedef struct ngx_http_segments_metrics_conf_s
    ngx_http_segments_metrics_conf_t;


/* for init_process and exit_process */
void ngx_http_segments_zone_begin(ngx_http_segments_metrics_conf_t *mcf);
void ngx_http_segments_zone_end(void);

/* legal in every process and with every configuration */
void ngx_http_segments_set_gauge(ngx_http_segments_gauge_e gauge,
    ngx_uint_t value);

/* of the processes that live: their sum, or the largest; where there is a
   zone */
ngx_uint_t ngx_http_segments_gauge_sum(ngx_http_segments_metrics_conf_t *mcf,
    ngx_http_segments_gauge_e gauge);
ngx_uint_t ngx_http_segments_gauge_max(ngx_http_segments_metrics_conf_t *mcf,
    ngx_http_segments_gauge_e gauge);

/* how many of them find it so */
ngx_uint_t ngx_http_segments_redis_unusable(
    ngx_http_segments_metrics_conf_t *mcf,
    ngx_http_segments_redis_state_t *state);


#endif /* _NGX_HTTP_SEGMENTS_GAUGE_H_INCLUDED_ */
