
/*
 * What is known of a request.
 */

#ifndef _NGX_HTTP_SEGMENTS_LIFE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LIFE_H_INCLUDED_


#include "life/ngx_http_segments_state.h"
#include "drift/ngx_http_segments_sample.h"
#include "idempotency/ngx_http_segments_wait.h"
#include "limit/ngx_http_segments_limit.h"
#include "metrics/ngx_http_segments_meter.h"
#include "secret/ngx_http_segments_redact.h"
#include "contract/sg_buf.h"
#include "contract/sg_fingerprint.h"
#include "contract/sg_route.h"


#define NGX_HTTP_SEGMENTS_BUFFERED    0x08      /* in r->buffered */


typedef struct ngx_http_segments_lent_s  ngx_http_segments_lent_t;


struct ngx_http_segments_ctx_s {
    ngx_http_request_t           *request;
    ngx_http_segments_state_e     state;
    ngx_http_segments_outcome_e   outcome;
    ngx_http_segments_meter_t    *meter;        /* of its location, or NULL */

    sg_route_t                    route;        /* valid once "routed" */
    ngx_str_t                     key;          /* unquoted; empty: none */
    u_char                        fingerprint[SG_FINGERPRINT_LEN];
    ngx_str_t                     scope;        /* whose key it is */
    ngx_str_t                     record;       /* the record's Redis key */

    ngx_http_segments_lent_t     *lent;         /* the client's request, while
                                                   the upstream's stands in its
                                                   place; or NULL */
    ngx_http_segments_claim_t    *claim;        /* NULL: no key, or bypassed */
    ngx_http_segments_waiter_t   *waiter;       /* NULL: never had to wait */
    ngx_http_segments_limits_t   *limits;       /* NULL: not limited; in
                                                   r->pool */

    /* Redis' answer to the claim; the strings are in r->pool */
    ngx_redis_record_verdict_e    verdict;
    ngx_uint_t                    status;
    ngx_str_t                     headers;
    ngx_str_t                     body;
    ngx_msec_t                    left;

    ngx_msec_t                    redis_start;  /* 0: never asked */
    ngx_msec_t                    redis_time;   /* ms spent waiting */

    const char                   *idempotency_status;   /* NULL: no header */
    ngx_uint_t                    http_version; /* the client's */
    ngx_uint_t                    upstream_status;  /* 0: unreadable, cut */
    size_t                        recorded;     /* bytes of the answer that
                                                   Redis has, 0: none */

    ngx_http_segments_sample_t   *sample;       /* NULL: no answer, or it is
                                                   not compared */
    sg_buf_t                      envelope;     /* our own body */
    ngx_buf_t                    *captured;     /* a held body */
    ngx_chain_t                  *out;          /* what release sends */
    ngx_chain_t                 **last_out;

    /* the proxy module's, while ours stand in their place */
    ngx_int_t                   (*process_header)(ngx_http_request_t *r);
    ngx_int_t                   (*reinit_request)(ngx_http_request_t *r);
    ngx_int_t                   (*input_filter_init)(void *data);
    ngx_event_pipe_input_filter_pt  pipe_filter;
    ngx_int_t                   (*input_filter)(void *data, ssize_t bytes);
    void                        (*finalize_upstream)(ngx_http_request_t *r,
                                                     ngx_int_t rc);

    ngx_event_get_peer_pt         get_peer;     /* the balancer's, where each
                                                   address is judged */

    ngx_http_segments_masks_t     masks;

    unsigned                      routed:1;
    unsigned                      asked:1;      /* the claim was answered */
    unsigned                      answered:1;   /* the upstream did answer */
    unsigned                      replaced:1;   /* the envelope stands for the
                                                   body that arrives */
    unsigned                      sent:1;       /* that envelope has left */
    unsigned                      redacted:1;   /* the whole body, already */
};


/* NULL when there is none */
ngx_http_segments_ctx_t *ngx_http_segments_get_ctx(ngx_http_request_t *r);

/* makes one where there is none; NULL when memory failed */
ngx_http_segments_ctx_t *ngx_http_segments_need_ctx(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_LIFE_H_INCLUDED_ */
