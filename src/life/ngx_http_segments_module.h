
/*
 * The segments gateway: what its parts share.
 */

#ifndef _NGX_HTTP_SEGMENTS_MODULE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "life/ngx_http_segments_state.h"
#include "idempotency/ngx_http_segments_claim.h"
#include "idempotency/ngx_http_segments_stored.h"
#include "idempotency/ngx_http_segments_wait.h"
#include "limit/ngx_http_segments_limit_conf.h"
#include "limit/ngx_http_segments_limit_fields.h"
#include "message/ngx_http_segments_chain.h"
#include "message/ngx_http_segments_field.h"
#include "message/ngx_http_segments_text.h"
#include "metrics/ngx_http_segments_exposition.h"
#include "record/ngx_http_segments_store.h"
#include "record/ngx_http_segments_token.h"
#include "secret/ngx_http_segments_redact.h"
#include "secret/ngx_http_segments_rotation.h"
#include "upstream/ngx_http_segments_proxy.h"
#include "upstream/ngx_http_segments_reach.h"
#include "upstream/ngx_http_segments_sent.h"
#include "redis/ngx_redis.h"
#include "record/ngx_redis_record.h"
#include "contract/sg_answer.h"
#include "contract/sg_errors.h"
#include "contract/sg_idempotency_key.h"
#include "contract/sg_route.h"
#include "contract/sg_secret.h"


#define NGX_HTTP_SEGMENTS_BUFFERED    0x08      /* in r->buffered */


/* segments_unknown_fields and segments_redis_failure */
#define NGX_HTTP_SEGMENTS_REJECT          0
#define NGX_HTTP_SEGMENTS_PASS            1


/* one project's records on one Redis: must be one key file */
typedef struct {
    ngx_redis_t                  *redis;
    ngx_str_t                     prefix;
    ngx_http_segments_secret_t   *secret;
    ngx_http_segments_room_t     *room;         /* this worker's, NULL until its
                                                   first request waits */
} ngx_http_segments_tenant_t;


/* the location that a check at the end of the configuration is about */
typedef struct {
    ngx_http_core_srv_conf_t     *cscf;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_log_handler_pt            handler;      /* the log's, meanwhile */
    void                         *data;
} ngx_http_segments_place_t;


typedef struct {
    ngx_array_t                   nodes;        /* ngx_redis_t * */
    ngx_array_t                   secrets;      /* ngx_http_segments_secret_t * */
    ngx_array_t                   tenants;      /* ngx_http_segments_tenant_t * */
    ngx_array_t                   limits;       /* ngx_http_segments_owned_
                                                   limit_t */
    ngx_http_segments_metrics_conf_t  metrics;
    ngx_array_t                   client_vars;  /* ngx_uint_t: variables that
                                                   show the client's request */
    ngx_http_complex_value_t     *remote_user;  /* the default scope */
    ngx_array_t                   guarded;      /* ngx_http_segments_place_t:
                                                   the guarded locations */
    ngx_http_segments_place_t     shown;        /* where metrics are; cscf is
                                                   NULL: nowhere */
    ngx_http_handler_pt           proxy_handler;    /* proxy_pass's own, where
                                                       it had to be known */
} ngx_http_segments_main_conf_t;


/* of an "upstream" block */
typedef struct {
    ngx_http_upstream_init_peer_pt  init_peer;  /* the balancer's */
} ngx_http_segments_srv_conf_t;


typedef struct {
    ngx_flag_t                    enable;
    ngx_uint_t                    operations;   /* SG_OP() mask */

    ngx_str_t                     secret_file;
    ngx_http_segments_secret_t   *secret;       /* set where enabled */

    ngx_uint_t                    unknown_fields;
    ngx_flag_t                    upstream_insecure;

    ngx_http_segments_store_t     store;
    ngx_uint_t                    redis_failure;
    ngx_http_segments_tenant_t   *tenant;       /* set where enabled, and there
                                                   is a Redis */

    ngx_http_segments_idempotency_conf_t  idempotency;
    ngx_http_segments_limit_conf_t  limit;

    ngx_http_segments_meter_t    *meter;        /* NULL: not counted */
    ngx_str_t                     prefix;       /* path of the collection */
    ngx_http_handler_pt           handler;      /* proxy_pass's own */
    ngx_http_proxy_loc_conf_t    *plcf;
} ngx_http_segments_loc_conf_t;


struct ngx_http_segments_ctx_s {
    ngx_http_request_t           *request;
    ngx_http_segments_state_e     state;
    ngx_http_segments_outcome_e   outcome;
    ngx_http_segments_meter_t    *meter;        /* of its location, or NULL */

    sg_route_t                    route;        /* valid once "routed" */
    ngx_str_t                     key;          /* unquoted; empty: none */
    u_char                        fingerprint[SG_FINGERPRINT_LEN];
    ngx_str_t                     record;       /* the record's Redis key */
    ngx_str_t                     upstream_key;

    ngx_http_segments_claim_t    *claim;        /* NULL: no key, or bypassed */
    ngx_http_segments_waiter_t   *waiter;       /* NULL: never had to wait */
    ngx_http_segments_limits_t   *limits;       /* NULL: not limited; in
                                                   r->pool */

    /* Redis' answer to the claim; the strings are in r->pool */
    ngx_redis_record_verdict_e    verdict;
    ngx_str_t                     status;
    ngx_str_t                     headers;
    ngx_str_t                     body;
    ngx_msec_t                    left;

    ngx_msec_t                    redis_start;  /* 0: never asked */
    ngx_msec_t                    redis_time;   /* ms spent waiting */

    const char                   *idempotency_status;   /* NULL: no header */
    ngx_uint_t                    http_version; /* the client's */
    ngx_uint_t                    upstream_status;  /* 0: unreadable, cut */

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


/* ngx_http_segments_request.c */

ngx_int_t ngx_http_segments_handler(ngx_http_request_t *r);

/* NULL when there is none */
ngx_http_segments_ctx_t *ngx_http_segments_get_ctx(ngx_http_request_t *r);

/* makes one where there is none; NULL when memory failed */
ngx_http_segments_ctx_t *ngx_http_segments_need_ctx(ngx_http_request_t *r);


/* ngx_http_segments_validate.c */

/* NGX_OK; NGX_DONE when the request was refused and finalized; or an error */
ngx_int_t ngx_http_segments_validate_head(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
ngx_int_t ngx_http_segments_validate_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


/* ngx_http_segments_admit.c */

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

/* asks about limits that were out of the claim's reach; decides when none is
   left */
ngx_int_t ngx_http_segments_ask_limits(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);

/* by what Redis has said, or has failed to say */
ngx_int_t ngx_http_segments_decide(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


/* ngx_http_segments_reply.c */

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
 * Each answers and finalizes the request and returns NGX_DONE, or returns an
 * HTTP error status for the caller to return.  "errors" may be NULL.
 */
ngx_int_t ngx_http_segments_refuse(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_refusal_e refusal,
    const sg_errors_t *errors);
ngx_int_t ngx_http_segments_replay(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


/* ngx_http_segments_client.c */

/* a request waits: from now on the client's leaving ends it */
void ngx_http_segments_test_client(ngx_http_request_t *r);

/* before the first wait: the client may have left behind its request already;
   NGX_ERROR when nginx cannot be told to look */
ngx_int_t ngx_http_segments_watch_client(ngx_http_request_t *r);

/* a request is about to be sent: from now on the client's leaving ends it no
   more, until its answer leaves */
void ngx_http_segments_outlive_client(ngx_http_request_t *r);


/* ngx_http_segments_forward.c */

/* the guarded location's content handler: proxy_pass with the Secret Key */
ngx_int_t ngx_http_segments_forward_handler(ngx_http_request_t *r);


/* ngx_http_segments_zone_directive.c */

char *ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ngx_http_segments_page.c */

/* the directive, and the content handler that it sets */
char *ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_segments_metrics_handler(ngx_http_request_t *r);


/* ngx_http_segments_log.c */

/* for the log phase */
ngx_int_t ngx_http_segments_count(ngx_http_request_t *r);


/* ngx_http_segments_check.c */

/* what cannot work in a guarded location, refused with a sentence */
ngx_int_t ngx_http_segments_check(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);

/* in between, what is logged names the place */
void ngx_http_segments_enter_place(ngx_log_t *log,
    ngx_http_segments_place_t *place);
void ngx_http_segments_leave_place(ngx_log_t *log,
    ngx_http_segments_place_t *place);


/* ngx_http_segments_content.c */

/* refuses whatever else than proxy_pass would answer; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_segments_check_content(ngx_conf_t *cf);

/* the same of what has come since; for postconfiguration */
ngx_int_t ngx_http_segments_check_handlers(ngx_conf_t *cf);


/* ngx_http_segments_peers.c */

/* for postconfiguration: the addresses that groups choose are judged, too */
ngx_int_t ngx_http_segments_judge_peers(ngx_conf_t *cf);


/* ngx_http_segments_choice.c */

/* setters; "post" is an array of ngx_conf_enum_t, and of masks in the second */
char *ngx_http_segments_choice(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_segments_operations(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_http_segments_order.c */

/* warns of modules whose filters see an answer before ours do */
void ngx_http_segments_check_order(ngx_conf_t *cf);


/* ngx_http_segments_filter.c */

ngx_int_t ngx_http_segments_filter_init(ngx_conf_t *cf);

/* the envelope in the body's place, or the body without the Secret Key */
ngx_int_t ngx_http_segments_send_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);

extern ngx_http_output_header_filter_pt  ngx_http_segments_next_header_filter;
extern ngx_http_output_body_filter_pt    ngx_http_segments_next_body_filter;


/* ngx_http_segments_capture.c: the header and body filters of one state */

ngx_int_t ngx_http_segments_capture_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
ngx_int_t ngx_http_segments_capture_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);
ngx_int_t ngx_http_segments_hold(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);
ngx_int_t ngx_http_segments_send_held(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);


/* ngx_http_segments_input.c */

/* makes a body that cannot be read one that was cut, and that a 502; for the
   header filter */
void ngx_http_segments_watch_input(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


/* ngx_http_segments_receive.c */

/* has proxy_pass read an upstream's header without the Secret Key; of a guarded
   location, when the configuration is made */
void ngx_http_segments_receive(ngx_http_proxy_loc_conf_t *plcf);


/* ngx_http_segments_variables.c */

ngx_int_t ngx_http_segments_add_variables(ngx_conf_t *cf);

/* how a request has ended; NGX_DECLINED where something else has answered it */
ngx_int_t ngx_http_segments_outcome(ngx_http_request_t *r);

/* finds the variables that show what the client sent */
ngx_int_t ngx_http_segments_client_variables(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_segments_module;


/* ngx_http_segments_redis.c */

char *ngx_http_segments_redis_breaker(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_segments_redis_wait(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_SEGMENTS_MODULE_H_INCLUDED_ */
