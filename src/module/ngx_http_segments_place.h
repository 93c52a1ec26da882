
/*
 * The location that a check is about.
 */

#ifndef _NGX_HTTP_SEGMENTS_PLACE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_PLACE_H_INCLUDED_


#include "life/ngx_http_segments_conf.h"


/* in between, what is logged names the place */
void ngx_http_segments_enter_place(ngx_log_t *log,
    ngx_http_segments_place_t *place);
void ngx_http_segments_leave_place(ngx_log_t *log,
    ngx_http_segments_place_t *place);


#endif /* _NGX_HTTP_SEGMENTS_PLACE_H_INCLUDED_ */
