
/*
 * A request's way through the gateway.
 */

#ifndef _NGX_HTTP_SEGMENTS_REQUEST_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REQUEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* of the precontent phase */
ngx_int_t ngx_http_segments_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_REQUEST_H_INCLUDED_ */
