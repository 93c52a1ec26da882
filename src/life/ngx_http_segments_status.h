
/*
 * What is said of how a request has ended: to the log, and to the client.
 */

#ifndef _NGX_HTTP_SEGMENTS_STATUS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_STATUS_H_INCLUDED_


#include "life/ngx_http_segments_life.h"


/* the one place that sets a request's outcome: $segments_outcome */
void ngx_http_segments_set_outcome(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_outcome_e outcome);

/* the one place that sets what Idempotency-Status says; NULL: no such field.
   "status" is not copied */
void ngx_http_segments_set_idempotency_status(ngx_http_segments_ctx_t *ctx,
    const char *status);

/* Idempotency-Status, where the request got as far as admission, and what is to
   be said of limits */
ngx_int_t ngx_http_segments_add_status(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_STATUS_H_INCLUDED_ */
