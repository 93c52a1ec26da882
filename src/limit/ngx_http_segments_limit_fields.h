
/*
 * What a client hears of its limits.
 */

#ifndef _NGX_HTTP_SEGMENTS_LIMIT_FIELDS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LIMIT_FIELDS_H_INCLUDED_


#include "limit/ngx_http_segments_limit.h"


/* RateLimit-Policy and RateLimit */
ngx_int_t ngx_http_segments_add_limits(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits);


#endif /* _NGX_HTTP_SEGMENTS_LIMIT_FIELDS_H_INCLUDED_ */
