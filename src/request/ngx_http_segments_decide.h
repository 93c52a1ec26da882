
/*
 * Admission: what becomes of a request.
 */

#ifndef _NGX_HTTP_SEGMENTS_DECIDE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_DECIDE_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/*
 * By what Redis has said, or has failed to say.  NGX_DONE when the request
 * waits or has been answered, NGX_DECLINED when it is to go on, in state
 * forward; or an HTTP error status.
 */
ngx_int_t ngx_http_segments_decide(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_DECIDE_H_INCLUDED_ */
