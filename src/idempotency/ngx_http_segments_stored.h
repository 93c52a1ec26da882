
/*
 * The header fields of a stored answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_STORED_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_STORED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* those of an answer that are stored, as "dst", which is made of "pool";
   "also": ngx_str_t, or NULL: those besides the documented ones */
ngx_int_t ngx_http_segments_record_headers(ngx_http_request_t *r,
    ngx_pool_t *pool, ngx_array_t *also, ngx_str_t *dst);

/* "headers" is not copied; NGX_ERROR, also when they cannot be read */
ngx_int_t ngx_http_segments_restore_headers(ngx_http_request_t *r,
    ngx_str_t *headers);


#endif /* _NGX_HTTP_SEGMENTS_STORED_H_INCLUDED_ */
