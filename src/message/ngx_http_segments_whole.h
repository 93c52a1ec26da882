
/*
 * An answer that is whole before its first byte leaves.
 */

#ifndef _NGX_HTTP_SEGMENTS_WHOLE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_WHOLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* for a content handler whose page is only read: NGX_OK, or what is for the
   request's end, other methods than GET and HEAD (RFC 9110, 15.5.6) included */
ngx_int_t ngx_http_segments_only_read(ngx_http_request_t *r);

/* for a content handler, which has set the type; "body" is in r->pool, and not
   empty.  What is returned is for the request's end. */
ngx_int_t ngx_http_segments_send_whole(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *body);


#endif /* _NGX_HTTP_SEGMENTS_WHOLE_H_INCLUDED_ */
