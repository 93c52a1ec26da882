
/*
 * The gateway's own refusals.
 */

#ifndef _NGX_HTTP_SEGMENTS_REFUSE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REFUSE_H_INCLUDED_


#include "life/ngx_http_segments_life.h"
#include "contract/sg_errors.h"


/* why the gateway itself answers with an error */
typedef enum {
    ngx_http_segments_refuse_path = 0,
    ngx_http_segments_refuse_id,
    ngx_http_segments_refuse_method,
    ngx_http_segments_refuse_content_type,
    ngx_http_segments_refuse_content_coding,
    ngx_http_segments_refuse_query,
    ngx_http_segments_refuse_key,
    ngx_http_segments_refuse_no_key,
    ngx_http_segments_refuse_unexpected_body,
    ngx_http_segments_refuse_body,
    ngx_http_segments_refuse_in_progress,
    ngx_http_segments_refuse_reused,
    ngx_http_segments_refuse_buried,
    ngx_http_segments_refuse_held,
    ngx_http_segments_refuse_limited,
    ngx_http_segments_refuse_redis
} ngx_http_segments_refusal_e;


/*
 * Answers and finalizes the request and returns NGX_DONE, or returns an
 * HTTP error status for the caller to return.  "errors" may be NULL.
 */
ngx_int_t ngx_http_segments_refuse(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_refusal_e refusal,
    const sg_errors_t *errors);


#endif /* _NGX_HTTP_SEGMENTS_REFUSE_H_INCLUDED_ */
