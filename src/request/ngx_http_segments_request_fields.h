
/*
 * The header fields of the upstream's request.
 */

#ifndef _NGX_HTTP_SEGMENTS_REQUEST_FIELDS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REQUEST_FIELDS_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/*
 * Makes the list of r->pool: the client's fields that may go upstream, and
 * ours.  The Secret Key among them is noted as the first to be masked.
 */
ngx_int_t ngx_http_segments_request_fields(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_list_t *headers);


#endif /* _NGX_HTTP_SEGMENTS_REQUEST_FIELDS_H_INCLUDED_ */
