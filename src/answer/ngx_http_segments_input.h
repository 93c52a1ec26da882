
/*
 * An answer that cannot be read is one that was cut.
 */

#ifndef _NGX_HTTP_SEGMENTS_INPUT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_INPUT_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/* makes a body that cannot be read one that was cut, and that a 502; for the
   header filter */
void ngx_http_segments_watch_input(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_INPUT_H_INCLUDED_ */
