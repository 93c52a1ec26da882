
/*
 * A claim from within: for its own files only.
 */

#ifndef _NGX_HTTP_SEGMENTS_CLAIM_END_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CLAIM_END_H_INCLUDED_


#include "idempotency/ngx_http_segments_claim.h"
#include "worker/ngx_segments_timer.h"


typedef enum {
    ngx_http_segments_claim_asking = 0,
    ngx_http_segments_claim_owned,
    ngx_http_segments_claim_settling,
    ngx_http_segments_claim_settled             /* nothing is left to do, but
                                                   to ask again */
} ngx_http_segments_claim_state_e;


struct ngx_http_segments_claim_s {
    ngx_http_segments_store_t        *store;
    ngx_http_segments_room_t        **waiting;  /* where others of this worker
                                                   do; or NULL */
    ngx_http_segments_claim_state_e   state;
    ngx_redis_record_t                record;
    ngx_redis_command_t              *cmd;      /* pending, or NULL */

    ngx_segments_timer_t              timer;    /* owned: the next renewal;
                                                   settling: the next try */
    ngx_msec_t                        asked;    /* when the lease that is known
                                                   of was asked for */
    ngx_msec_t                        renewing; /* when the pending renewal
                                                   was */
    ngx_msec_t                        deadline; /* of tries in background */
    ngx_uint_t                        replicas; /* that acknowledge a claim */
    ngx_uint_t                        failures; /* of the breaker, where
                                                   somebody waits */

    ngx_http_segments_end_e           end;      /* valid from settling on */
    ngx_uint_t                        status;
    ngx_str_t                         headers;
    ngx_str_t                         body;

    ngx_buf_t                        *room;     /* the body's, NULL until
                                                   there is one */
    u_char                           *fields;   /* the header fields', where
                                                   those are many; or NULL */
    u_char                           *sealed;   /* of both, or NULL */
    size_t                            held;     /* bytes of all these; fixed
                                                   from settling on */

    ngx_redis_record_handler_pt       handler;  /* of who waits, or NULL */
    void                             *data;

    unsigned                          attached:1;   /* the request's memory is
                                                       there, and refers to
                                                       the claim's */
    unsigned                          background:1; /* counted as such */
    unsigned                          doubtful:1;   /* a reply was lost: the
                                                       end may be done, or
                                                       nothing to end */
};


/* of claim->timer: renews, or tries again */
void ngx_http_segments_claim_timer(void *data);

/* owned: renews it in time, counted from when it was asked for; and no more,
   with what is pending cancelled */
void ngx_http_segments_claim_lives(ngx_http_segments_claim_t *claim);
void ngx_http_segments_claim_pause(ngx_http_segments_claim_t *claim);

/* NGX_ERROR: nothing was sent yet, or nothing ever will be */
ngx_int_t ngx_http_segments_claim_end(ngx_http_segments_claim_t *claim,
    ngx_http_segments_end_e end);

/* nothing is left to do: frees it where no request refers to it */
void ngx_http_segments_claim_done(ngx_http_segments_claim_t *claim);
void ngx_http_segments_claim_destroy(ngx_http_segments_claim_t *claim);


#endif /* _NGX_HTTP_SEGMENTS_CLAIM_END_H_INCLUDED_ */
