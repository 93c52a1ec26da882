
/*
 * What an upstream may have of a request.
 */

#ifndef _NGX_HTTP_SEGMENTS_SENT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* 1 when a byte of the request may have reached an upstream; "answered": one
   has answered */
ngx_uint_t ngx_http_segments_sent(ngx_http_request_t *r, ngx_uint_t answered);

/*
 * The exchange with the upstream is given up: what may still come of it must
 * not meet another request on a connection that is kept.
 */
void ngx_http_segments_abandon(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_SENT_H_INCLUDED_ */
