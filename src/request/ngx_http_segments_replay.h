
/*
 * A stored answer, once more.
 */

#ifndef _NGX_HTTP_SEGMENTS_REPLAY_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REPLAY_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/*
 * Answers and finalizes the request and returns NGX_DONE, or returns an HTTP
 * error status for the caller to return.
 */
ngx_int_t ngx_http_segments_replay(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_REPLAY_H_INCLUDED_ */
