
/*
 * The record of one idempotency key in Redis: its life is record.lua, this is
 * how to call it.
 */

#ifndef _NGX_REDIS_RECORD_H_INCLUDED_
#define _NGX_REDIS_RECORD_H_INCLUDED_


#include "record/ngx_redis_limit.h"


/* the reply is valid until the handler returns */
typedef void (*ngx_redis_record_handler_pt)(void *data,
    const ngx_redis_record_reply_t *reply);


/* owned by the caller, as are all its strings; stays valid while a command
   on it is pending */
typedef struct {
    ngx_redis_t                 *redis;
    ngx_redis_options_t          options;       /* of each command */

    ngx_str_t                    name;
    ngx_str_t                    token;         /* the owner's */
    ngx_str_t                    fingerprint;
    ngx_msec_t                   lease;
    ngx_msec_t                   ttl;
    ngx_uint_t                   hold;          /* unsigned  hold:1; */
    ngx_str_t                    channel;       /* a claim: where to be told of
                                                   another's end; or empty */

    ngx_redis_asked_e            asked;         /* by the pending command */

    u_char                       lease_text[NGX_TIME_T_LEN];
    u_char                       ttl_text[NGX_TIME_T_LEN];

    ngx_redis_record_handler_pt  handler;       /* of the pending command */
    void                        *data;
} ngx_redis_record_t;


/*
 * Each sends one command; one is pending at a time.  NULL when memory failed.
 * ngx_redis_cancel() cancels.  "limits", which may be NULL, are spent where the
 * claim is new or takes over; only their strings have to stay.
 */
ngx_redis_command_t *ngx_redis_record_claim(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data);
ngx_redis_command_t *ngx_redis_record_renew(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data);
ngx_redis_command_t *ngx_redis_record_complete(ngx_redis_record_t *record,
    ngx_str_t *status, ngx_str_t *headers, ngx_str_t *body,
    ngx_redis_record_handler_pt handler, void *data);
ngx_redis_command_t *ngx_redis_record_bury(ngx_redis_record_t *record,
    ngx_str_t *status, ngx_redis_record_handler_pt handler, void *data);
ngx_redis_command_t *ngx_redis_record_give_back(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data);
ngx_redis_command_t *ngx_redis_record_unknown(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data);

/*
 * Spends limits for a create that has no record, or has it in another slot:
 * ok, limited, or a failure.  Name and ttl are of a receipt, which is this
 * create's alone, as its token is; fingerprint, lease and hold are not used.  A
 * name that is the only limit's key: without a receipt.
 */
ngx_redis_command_t *ngx_redis_record_spend(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data);


/* configuration time: ngx_redis_script_init() is the caller's */
extern ngx_redis_script_t  ngx_redis_record_script;
extern ngx_redis_script_t  ngx_redis_spend_script;


#endif /* _NGX_REDIS_RECORD_H_INCLUDED_ */
