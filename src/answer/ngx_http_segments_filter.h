
/*
 * The answer's way to the client.
 */

#ifndef _NGX_HTTP_SEGMENTS_FILTER_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_FILTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* for postconfiguration */
ngx_int_t ngx_http_segments_filter_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_SEGMENTS_FILTER_H_INCLUDED_ */
