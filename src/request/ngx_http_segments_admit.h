
/*
 * Admission: Redis is asked.
 */

#ifndef _NGX_HTTP_SEGMENTS_ADMIT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ADMIT_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/*
 * Each is a step of admission: NGX_DONE when the request waits or has been
 * answered, NGX_DECLINED when it is to go on, in state forward; or an HTTP
 * error status.
 */

/* of a request that is as documented */
ngx_int_t ngx_http_segments_ask_first(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);

/* of one that has waited for another: claims the key once more */
ngx_int_t ngx_http_segments_ask_again(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);

/* who has waited, and was told what another one has heard */
ngx_int_t ngx_http_segments_ask_nobody(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);

/* asks about limits that were out of the claim's reach; decides when none is
   left */
ngx_int_t ngx_http_segments_ask_limits(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_ADMIT_H_INCLUDED_ */
