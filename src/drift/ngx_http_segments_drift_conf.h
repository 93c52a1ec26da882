
/*
 * segments_contract of one location.
 */

#ifndef _NGX_HTTP_SEGMENTS_DRIFT_CONF_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_DRIFT_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "metrics/ngx_http_segments_zone.h"


/* what all workers know of the lines that were logged */
typedef struct {
    ngx_atomic_t                  time;         /* ngx_current_msec of the last
                                                   one; 0: none */
    ngx_atomic_t                  answers;      /* that there was one for, or
                                                   should have been */
} ngx_http_segments_told_t;


/* of one configuration */
typedef struct {
    ngx_shm_t                     shm;          /* of the following */
    ngx_http_segments_told_t     *drift;
    ngx_http_segments_told_t     *additional;
} ngx_http_segments_drift_lines_t;


typedef struct {
    ngx_uint_t                    sample;       /* one answer of so many is
                                                   compared; 0: none */
    ngx_http_segments_drift_lines_t  *lines;    /* set where enabled */
    ngx_http_segments_metrics_conf_t  *metrics; /* the same */
} ngx_http_segments_drift_conf_t;


#endif /* _NGX_HTTP_SEGMENTS_DRIFT_CONF_H_INCLUDED_ */
