
/*
 * The header fields of a stored answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_STORED_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_STORED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "contract/sg_buf.h"


/* appends those of an answer that are stored; "also": ngx_str_t, or NULL: those
   besides the documented ones */
void ngx_http_segments_record_headers(ngx_http_request_t *r,
    ngx_array_t *also, sg_buf_t *headers);

/* "headers" is not copied; NGX_ERROR, also when they cannot be read */
ngx_int_t ngx_http_segments_restore_headers(ngx_http_request_t *r,
    ngx_str_t *headers);


#endif /* _NGX_HTTP_SEGMENTS_STORED_H_INCLUDED_ */
