
/*
 * Whether this worker's creates would find their Redis.
 */

#ifndef _NGX_HTTP_SEGMENTS_HEALTH_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_HEALTH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the content handler */
ngx_int_t ngx_http_segments_health_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_HEALTH_H_INCLUDED_ */
