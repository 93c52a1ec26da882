
/*
 * The end of a claim, as the claim itself knows it.
 */

#ifndef _NGX_HTTP_SEGMENTS_CLAIM_END_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CLAIM_END_H_INCLUDED_


#include "idempotency/ngx_http_segments_claim.h"


/* of claim->timer: renews, or tries again */
void ngx_http_segments_claim_timer(ngx_event_t *ev);

/* NGX_ERROR: nothing was sent yet, or nothing ever will be */
ngx_int_t ngx_http_segments_claim_end(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end);

/* nothing is left to do: frees it where no request refers to it */
void ngx_http_segments_claim_done(ngx_http_segments_claim_t *claim);
void ngx_http_segments_claim_destroy(ngx_http_segments_claim_t *claim);


#endif /* _NGX_HTTP_SEGMENTS_CLAIM_END_H_INCLUDED_ */
