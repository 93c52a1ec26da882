
/*
 * Claims that go on without a request.
 */

#ifndef _NGX_HTTP_SEGMENTS_BACKGROUND_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_BACKGROUND_H_INCLUDED_


#include "idempotency/ngx_http_segments_claim.h"


/* NGX_DECLINED after a log line: there are too many, or they hold too much */
ngx_int_t ngx_http_segments_claim_go_background(
    ngx_http_segments_claim_t *claim);

/* legal where it never went there */
void ngx_http_segments_claim_leave_background(
    ngx_http_segments_claim_t *claim);


#endif /* _NGX_HTTP_SEGMENTS_BACKGROUND_H_INCLUDED_ */
