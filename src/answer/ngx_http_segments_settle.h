
/*
 * Redis is told of an answer, and it leaves.
 */

#ifndef _NGX_HTTP_SEGMENTS_SETTLE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SETTLE_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/*
 * "complete": the whole body is here.  Leaves the request in settle, or in
 * release where Redis could not even be asked.
 */
ngx_int_t ngx_http_segments_end_capture(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_uint_t complete);

/* the body filters of settle and release */
ngx_int_t ngx_http_segments_hold(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);
ngx_int_t ngx_http_segments_send_held(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);


#endif /* _NGX_HTTP_SEGMENTS_SETTLE_H_INCLUDED_ */
