
/*
 * What the gateway answers by itself.
 */

#ifndef _NGX_HTTP_SEGMENTS_REPLY_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REPLY_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/* RFC 9110, 15.5.21; nginx has no name for it, nor a reason phrase */
#define NGX_HTTP_SEGMENTS_UNPROCESSABLE  422


/* Idempotent-Replayed */
ngx_int_t ngx_http_segments_add_replayed(ngx_http_request_t *r);

/*
 * Sends what r->headers_out has, and the body, which stays until the request
 * ends, and finalizes the request.  NGX_DONE, or an HTTP error status.
 */
ngx_int_t ngx_http_segments_send(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *body);


#endif /* _NGX_HTTP_SEGMENTS_REPLY_H_INCLUDED_ */
