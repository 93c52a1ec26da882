
/*
 * The owner of a record: from the question whether a key is ours until Redis
 * knows how the request ended.  It outlives the request when it must.
 *
 *     asking -> owned -> settling -> settled
 *         \                             /
 *          `<------------------------->'
 */

#ifndef _NGX_HTTP_SEGMENTS_CLAIM_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CLAIM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "idempotency/ngx_http_segments_idempotency_conf.h"
#include "record/ngx_redis_record.h"
#include "record/ngx_http_segments_store.h"
#include "seal/ngx_http_segments_seal.h"


/* how a claim ends */
typedef enum {
    ngx_http_segments_give_back = 0,            /* nothing was sent */
    ngx_http_segments_unknown,                  /* sent, no definite answer */
    ngx_http_segments_complete,                 /* status, headers, body */
    ngx_http_segments_bury                      /* the body is too large */
} ngx_http_segments_end_e;


typedef struct ngx_http_segments_claim_s  ngx_http_segments_claim_t;


/* "name" and "fingerprint" are copied; NULL when memory failed */
ngx_http_segments_claim_t *ngx_http_segments_claim_create(
    ngx_http_segments_store_t *store,
    ngx_http_segments_idempotency_conf_t *conf, ngx_str_t *name,
    u_char *fingerprint);

/*
 * Asks Redis for the record, or asks again while it is not owned; and for the
 * leave of "limits", which may be NULL and whose strings stay until the handler
 * was called or the claim detached.  The handler is called once, later, with
 * Redis' verdict: after ngx_redis_record_ok the record is owned, after
 * ngx_redis_record_lost it may be, after any other it is not, unless an earlier
 * verdict was lost and this one is ngx_redis_record_failed.  A claim that is
 * owned may be asked for, too: it is its own still, or is not any more.
 * NGX_ERROR when memory failed.
 */
ngx_int_t ngx_http_segments_claim_ask(ngx_http_segments_claim_t *claim,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data);

/*
 * What is said with the next asking: the channel on which this worker listens
 * for the end of another's claim, or NULL.  It stays until Redis was asked.
 */
void ngx_http_segments_claim_listen(ngx_http_segments_claim_t *claim,
    ngx_str_t *channel);

/*
 * Room for "size" bytes of the answer's body, which may outlive the request;
 * with what is in "kept", the room so far, which is freed; NULL: there is
 * nothing to keep.  NULL when memory failed.
 */
ngx_buf_t *ngx_http_segments_claim_room(ngx_http_segments_claim_t *claim,
    ngx_buf_t *kept, size_t size);

/*
 * The answer that the record is to keep.  "headers" are copied, "body" is in
 * the claim's room.  NGX_ERROR when memory failed.
 */
ngx_int_t ngx_http_segments_claim_answer(ngx_http_segments_claim_t *claim,
    ngx_uint_t status, const sg_buf_t *headers, const ngx_str_t *body);

/* of which only the status is kept */
void ngx_http_segments_claim_tombstone(ngx_http_segments_claim_t *claim,
    ngx_uint_t status);

/*
 * The same answer sealed, with headers and body.  NGX_ERROR when that failed:
 * nothing of it may be kept then.
 */
ngx_int_t ngx_http_segments_claim_seal(ngx_http_segments_claim_t *claim,
    ngx_http_segments_seal_conf_t *conf);

/* whether so much of an owned lease is gone, by our own clock, that Redis has
   to be asked again before anything is sent */
ngx_uint_t ngx_http_segments_claim_aged(ngx_http_segments_claim_t *claim);

/*
 * Tells Redis how the request ended; a complete one after
 * ngx_http_segments_claim_answer(), a buried one after
 * ngx_http_segments_claim_tombstone().  The handler is called once, later, with
 * ok, stale, failed or lost; after the last two the claim goes on trying by
 * itself, and renewing, for at least one more lease, unless too many do or they
 * hold too much.  NGX_ERROR when nothing could be sent: the handler is not
 * called, the claim goes on as after a failure.
 */
ngx_int_t ngx_http_segments_claim_settle(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end, ngx_redis_record_handler_pt handler,
    void *data);

/*
 * The request is gone, or goes on without its claim, and nobody waits any
 * more.  A claim that is neither settling nor settled ends as "end" says.
 */
void ngx_http_segments_claim_detach(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end);

/*
 * After detaching, when nothing refers to what the claim holds: HTTP/2 sends
 * what is queued of an answer even when its request has ended.  The claim
 * frees itself as soon as it is settled.
 */
void ngx_http_segments_claim_free(ngx_http_segments_claim_t *claim);

/* where its record is, its name, and how long it is leased, milliseconds */
ngx_http_segments_store_t *ngx_http_segments_claim_store(
    ngx_http_segments_claim_t *claim);
ngx_str_t *ngx_http_segments_claim_name(ngx_http_segments_claim_t *claim);
ngx_msec_t ngx_http_segments_claim_lease(ngx_http_segments_claim_t *claim);

/* of its body, SG_VALUE_FINGERPRINT bytes */
u_char *ngx_http_segments_claim_fingerprint(ngx_http_segments_claim_t *claim);

/* as it was settled, and whether the record of an unknown end is kept */
ngx_http_segments_end_e ngx_http_segments_claim_ended_as(
    ngx_http_segments_claim_t *claim);
ngx_uint_t ngx_http_segments_claim_holds(ngx_http_segments_claim_t *claim);


#endif /* _NGX_HTTP_SEGMENTS_CLAIM_H_INCLUDED_ */
