
/*
 * How answers of the upstream compared with the documentation.
 */

#ifndef _NGX_HTTP_SEGMENTS_COMPARED_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_COMPARED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "contract/sg_drift.h"


/* $segments_contract */
typedef enum {
    ngx_http_segments_compared_ok = 0,
    ngx_http_segments_compared_drift,
    ngx_http_segments_compared_unchecked
} ngx_http_segments_compared_e;

#define NGX_HTTP_SEGMENTS_COMPARED                                            \
    (ngx_http_segments_compared_unchecked + 1)


/* in shared memory, of all locations, and never freed there */
typedef struct {
    ngx_atomic_t                  answers[sg_op_n][NGX_HTTP_SEGMENTS_COMPARED];
    ngx_atomic_t                  fields[sg_op_n][sg_field_n];
    ngx_atomic_t                  additional[sg_op_n][sg_field_n];
} ngx_http_segments_compared_t;


/* "ok", "drift" or "unchecked"; static */
const char *ngx_http_segments_compared_name(ngx_uint_t compared);

/* of one answer; "counts" may be NULL: nothing is counted */
void ngx_http_segments_count_answer(ngx_http_segments_compared_t *counts,
    sg_operation_e operation, ngx_http_segments_compared_e compared,
    sg_drift_t *drift);


#endif /* _NGX_HTTP_SEGMENTS_COMPARED_H_INCLUDED_ */
