
/*
 * A request's body.
 */

#ifndef _NGX_HTTP_SEGMENTS_BODY_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_BODY_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/* NGX_OK; NGX_DONE when the request was refused and finalized; or an error */
ngx_int_t ngx_http_segments_validate_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_BODY_H_INCLUDED_ */
