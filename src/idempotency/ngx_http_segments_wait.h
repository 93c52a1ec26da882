
/*
 * Duplicates that wait for the first one's answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_WAIT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_WAIT_H_INCLUDED_


#include "idempotency/ngx_http_segments_claim.h"
#include "idempotency/ngx_http_segments_room.h"


/*
 * The claim found another's, or now finds no Redis; "lease_left" is what the
 * other's lease had left, in milliseconds.  NGX_DONE: the request is to wait,
 * and its phases run again when it is time to ask again or when the wait is
 * over; NGX_DECLINED: it is not to wait, or no longer.  *waiter is NULL until
 * the request waits for the first time.
 */
ngx_int_t ngx_http_segments_wait(ngx_http_request_t *r,
    ngx_http_segments_waiter_t **waiter,
    ngx_http_segments_idempotency_conf_t *conf,
    ngx_http_segments_claim_t *claim, ngx_redis_record_verdict_e verdict,
    ngx_msec_t lease_left);

/* of a request that waits: whether it has waited for as long as it may */
ngx_uint_t ngx_http_segments_wait_over(ngx_http_segments_waiter_t *w);

/* before the claim is asked again: how it is to be told of the other's end */
void ngx_http_segments_wait_ask(ngx_http_segments_waiter_t *w,
    ngx_http_segments_claim_t *claim);

/*
 * What Redis has said to who asked again: for all that wait here for the same
 * key, or one of them asks next.  "w" may be NULL, or not wait.
 */
void ngx_http_segments_wait_told(ngx_http_segments_waiter_t *w,
    const ngx_redis_record_reply_t *reply);

/* when w->shared was used; legal without */
void ngx_http_segments_wait_forget(ngx_http_segments_waiter_t *w);

/* legal in every state, whether the request waits or not; "w" may be NULL */
void ngx_http_segments_wait_end(ngx_http_segments_waiter_t *w);


#endif /* _NGX_HTTP_SEGMENTS_WAIT_H_INCLUDED_ */
