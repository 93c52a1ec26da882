
/*
 * What is said of a worker's health.
 */

#ifndef _NGX_HTTP_SEGMENTS_REPORT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REPORT_H_INCLUDED_


#include "health/ngx_http_segments_needed.h"
#include "contract/sg_buf.h"


/* from the best to the worst */
typedef enum {
    ngx_http_segments_health_ok = 0,
    ngx_http_segments_health_degraded,          /* creates go on without */
    ngx_http_segments_health_unusable           /* creates get 503 */
} ngx_http_segments_health_e;


/* appends what was found of a Redis, and says what creates make of that */
ngx_http_segments_health_e ngx_http_segments_report_redis(sg_buf_t *out,
    const ngx_http_segments_needed_t *need,
    const ngx_redis_finding_t *findings);

/* answers; "redis" are the reports of each, with commas */
ngx_int_t ngx_http_segments_report(ngx_http_request_t *r,
    ngx_http_segments_health_e health, sg_str_t redis);


#endif /* _NGX_HTTP_SEGMENTS_REPORT_H_INCLUDED_ */
