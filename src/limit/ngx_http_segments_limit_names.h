
/*
 * Which limits have refused, and for how long.
 */

#ifndef _NGX_HTTP_SEGMENTS_LIMIT_NAMES_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LIMIT_NAMES_H_INCLUDED_


#include "limit/ngx_http_segments_limit.h"


/* seconds until every limit that refused would let one create pass */
ngx_uint_t ngx_http_segments_limits_reset(ngx_http_segments_limits_t *limits);

/* appends the names of those that refused, in quotes */
void ngx_http_segments_limits_violated(ngx_http_segments_limits_t *limits,
    sg_buf_t *out);


#endif /* _NGX_HTTP_SEGMENTS_LIMIT_NAMES_H_INCLUDED_ */
