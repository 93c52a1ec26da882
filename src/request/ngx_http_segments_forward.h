
/*
 * proxy_pass, with the request that we made of the client's.
 */

#ifndef _NGX_HTTP_SEGMENTS_FORWARD_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_FORWARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the guarded location's content handler: proxy_pass with the Secret Key */
ngx_int_t ngx_http_segments_forward_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_FORWARD_H_INCLUDED_ */
