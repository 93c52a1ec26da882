
/*
 * An answer leaves to the filters behind.
 */

#ifndef _NGX_HTTP_SEGMENTS_OUTPUT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_OUTPUT_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/* the envelope in the body's place, or the body without the Secret Key */
ngx_int_t ngx_http_segments_send_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);

extern ngx_http_output_header_filter_pt  ngx_http_segments_next_header_filter;
extern ngx_http_output_body_filter_pt    ngx_http_segments_next_body_filter;


#endif /* _NGX_HTTP_SEGMENTS_OUTPUT_H_INCLUDED_ */
