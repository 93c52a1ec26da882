
/*
 * What is counted of the limits of a guarded location.
 */

#ifndef _NGX_HTTP_SEGMENTS_REFUSALS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REFUSALS_H_INCLUDED_


#include "metrics/ngx_http_segments_meter.h"


/* configuration time: a limit of this name is counted, once */
ngx_int_t ngx_http_segments_meter_limit(ngx_http_segments_meter_t *meter,
    ngx_str_t *name);

/* finds the counts of the meter's limits among its counts, or makes them */
ngx_int_t ngx_http_segments_init_refusals(ngx_slab_pool_t *shpool,
    ngx_http_segments_meter_t *meter);

/* the limit has refused a create, or would have but for the dry run */
void ngx_http_segments_count_refusal(ngx_http_segments_meter_t *meter,
    ngx_str_t *name, ngx_uint_t dry_run);


#endif /* _NGX_HTTP_SEGMENTS_REFUSALS_H_INCLUDED_ */
