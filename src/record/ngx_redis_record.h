
/*
 * The record of one idempotency key in Redis: how to ask for it, and how to
 * change it.  Its value is sg_value.h's; what is done to it is in claim.lua,
 * renew.lua, settle.lua and drop.lua.
 *
 * A claim without limits, and an answer to a claim that stands as it was made,
 * go the straight way where the server can: one native command.  Whatever that
 * does not settle, and whatever is sent again, is the script's.
 */

#ifndef _NGX_REDIS_RECORD_H_INCLUDED_
#define _NGX_REDIS_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "contract/sg_value.h"
#include "record/ngx_redis_limit.h"
#include "record/ngx_redis_straight.h"
#include "record/ngx_redis_ttl.h"


/* the reply is valid until the handler returns */
typedef void (*ngx_redis_record_handler_pt)(void *data,
    const ngx_redis_record_reply_t *reply);


/* owned by the caller, as are all its strings; stays valid while a command
   on it is pending */
typedef struct {
    ngx_redis_t                 *redis;
    ngx_redis_options_t          options;       /* of each command */

    ngx_str_t                    name;
    u_char                       token[SG_VALUE_TOKEN];     /* the owner's */
    ngx_msec_t                   lease;
    const ngx_redis_ttl_t       *ttl;
    ngx_uint_t                   hold;          /* unsigned  hold:1; */
    ngx_str_t                    channel;       /* a claim: where to be told of
                                                   another's end; or empty */

    /* its own: what a claim of it stands for, and is written as */

    sg_value_t                   mine;
    u_char                       check[SG_VALUE_CHECK];
    u_char                       fingerprint[SG_VALUE_FINGERPRINT];
    u_char                       claim[SG_VALUE_HEAD];

    /* of what it was asked last */

    ngx_redis_asked_e            asked;
    ngx_str_t                    verb;          /* the script's first word; or
                                                   empty: its value says it */
    ngx_redis_script_t          *script;
    const ngx_redis_limits_t    *limits;        /* or NULL */
    ngx_str_t                    headers;       /* to be written */
    ngx_str_t                    body;
    size_t                       items;         /* bytes at the end of the
                                                   body's that are items: its
                                                   seal, or 0 */
    u_char                       head[SG_VALUE_HEAD];
    size_t                       head_len;
    u_char                       item[SG_VALUE_ITEM];
    ngx_redis_seen_t             seen;

    unsigned                     claimed:1;     /* it was asked for before */
    unsigned                     settled:1;     /* an answer was sent before */
    unsigned                     straight:1;    /* its claim stands in Redis as
                                                   it was made */

    ngx_redis_record_handler_pt  handler;       /* of the pending command */
    void                        *data;
} ngx_redis_record_t;


/*
 * When name, token, lease and ttl are set; "fingerprint" has
 * SG_VALUE_FINGERPRINT bytes.  NGX_ERROR when OpenSSL failed.
 */
ngx_int_t ngx_redis_record_init(ngx_redis_record_t *record,
    const u_char *fingerprint);

/*
 * Each sends one command; one is pending at a time.  NULL when memory failed.
 * ngx_redis_cancel() cancels.  "limits", which may be NULL and stay as long as
 * the command, are spent where the claim is new or takes over.
 */
ngx_redis_command_t *ngx_redis_record_claim(ngx_redis_record_t *record,
    const ngx_redis_limits_t *limits, ngx_redis_record_handler_pt handler,
    void *data);
ngx_redis_command_t *ngx_redis_record_renew(ngx_redis_record_t *record,
    ngx_redis_record_handler_pt handler, void *data);
ngx_redis_command_t *ngx_redis_record_complete(ngx_redis_record_t *record,
    ngx_uint_t status, ngx_str_t *headers, ngx_str_t *body,
    ngx_redis_record_handler_pt handler, void *data);
ngx_redis_command_t *ngx_redis_record_bury(ngx_redis_record_t *record,
    ngx_uint_t status, ngx_redis_record_handler_pt handler, void *data);
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


#endif /* _NGX_REDIS_RECORD_H_INCLUDED_ */
