
/*
 * An answer to a claimed request is held.
 */

#ifndef _NGX_HTTP_SEGMENTS_CAPTURE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CAPTURE_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/* the header and body filters of state capture */
ngx_int_t ngx_http_segments_capture_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
ngx_int_t ngx_http_segments_capture_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);


#endif /* _NGX_HTTP_SEGMENTS_CAPTURE_H_INCLUDED_ */
