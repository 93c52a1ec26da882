
/*
 * Header fields of an answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_FIELD_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_FIELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* "name" and "value" are not copied; NULL when memory failed */
ngx_table_elt_t *ngx_http_segments_add_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);


#endif /* _NGX_HTTP_SEGMENTS_FIELD_H_INCLUDED_ */
