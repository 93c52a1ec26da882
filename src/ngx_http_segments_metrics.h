
/*
 * What an operator watches: counters in shared memory, added to without locks,
 * and what is so at the moment in each worker.
 */

#ifndef _NGX_HTTP_SEGMENTS_METRICS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_METRICS_H_INCLUDED_


#include "ngx_http_segments_module.h"


/* what a worker says of itself */
typedef enum {
    ngx_http_segments_gauge_waiting = 0,        /* duplicates */
    ngx_http_segments_gauge_background,         /* claims without a request */
    ngx_http_segments_gauge_refused             /* key files */
} ngx_http_segments_gauge_e;

#define NGX_HTTP_SEGMENTS_GAUGES  (ngx_http_segments_gauge_refused + 1)


/* directives */
char *ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the content handler of segments_metrics */
ngx_int_t ngx_http_segments_metrics_handler(ngx_http_request_t *r);

/*
 * Of the guarded location at hand: one for all of its blocks, and over reloads.
 * NULL when memory failed; call it only where there is a zone.
 */
ngx_http_segments_meter_t *ngx_http_segments_meter(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf);

/* for postconfiguration */
ngx_int_t ngx_http_segments_metrics_init(ngx_conf_t *cf);

/* for init_process and exit_process */
void ngx_http_segments_metrics_begin(ngx_http_segments_main_conf_t *smcf);
void ngx_http_segments_metrics_end(void);

/* legal in every process and with every configuration */
void ngx_http_segments_set_gauge(ngx_http_segments_gauge_e gauge,
    ngx_uint_t value);


#endif /* _NGX_HTTP_SEGMENTS_METRICS_H_INCLUDED_ */
