
/*
 * An answer of the upstream, a copy of which is kept until it can be compared.
 *
 *     arriving -> complete -> compared
 *        `----> left
 */

#ifndef _NGX_HTTP_SEGMENTS_SAMPLE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SAMPLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "drift/ngx_http_segments_drift_conf.h"


/* bytes of a body; a larger one is left */
#define NGX_HTTP_SEGMENTS_SAMPLE_MAX  131072


typedef enum {
    ngx_http_segments_sample_arriving = 0,
    ngx_http_segments_sample_left,              /* as not drawn, or it was cut
                                                   or too large */
    ngx_http_segments_sample_complete,
    ngx_http_segments_sample_compared
} ngx_http_segments_sample_state_e;


typedef struct {
    ngx_http_segments_drift_conf_t    *conf;
    ngx_pool_t                        *pool;    /* the request's */
    ngx_http_segments_sample_state_e   state;
    ngx_http_segments_compared_e       compared;    /* $segments_contract */

    sg_operation_e                     operation;
    ngx_uint_t                         status;
    ngx_str_t                          type;    /* the answer's own */
    ngx_buf_t                         *body;    /* NULL: nothing came yet */
} ngx_http_segments_sample_t;


/*
 * The header of an answer is here, as the upstream sent it.  In r->pool; NULL
 * when memory failed, and then there is nothing to compare.
 */
ngx_http_segments_sample_t *ngx_http_segments_sample(ngx_http_request_t *r,
    ngx_http_segments_drift_conf_t *conf, sg_operation_e operation);

/* a part of its body is here; before it is consumed */
void ngx_http_segments_sample_body(ngx_http_segments_sample_t *sample,
    ngx_chain_t *in);

/* another answer takes its place: what has not come will not */
void ngx_http_segments_sample_cut(ngx_http_segments_sample_t *sample);


#endif /* _NGX_HTTP_SEGMENTS_SAMPLE_H_INCLUDED_ */
