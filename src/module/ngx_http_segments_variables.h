
/*
 * What an operator can log.
 */

#ifndef _NGX_HTTP_SEGMENTS_VARIABLES_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_VARIABLES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_http_segments_add_variables(ngx_conf_t *cf);

/* how a request has ended; NGX_DECLINED where something else has answered it */
ngx_int_t ngx_http_segments_outcome(ngx_http_request_t *r);

/* finds the variables that show what the client sent */
ngx_int_t ngx_http_segments_client_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_SEGMENTS_VARIABLES_H_INCLUDED_ */
