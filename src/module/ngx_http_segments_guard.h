
/*
 * A location is guarded.
 */

#ifndef _NGX_HTTP_SEGMENTS_GUARD_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_GUARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "life/ngx_http_segments_conf.h"


/* when the location at hand was merged with "prev"; NGX_ERROR after an emerg
   log line, or when memory failed */
ngx_int_t ngx_http_segments_guard(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *slcf);


#endif /* _NGX_HTTP_SEGMENTS_GUARD_H_INCLUDED_ */
