
/*
 * The straight way: what a reply to a native command says, and in which form
 * there is more to ask.  Plain C on hiredis' replies, as ngx_redis_verdict.h.
 */

#ifndef _NGX_REDIS_STRAIGHT_H_INCLUDED_
#define _NGX_REDIS_STRAIGHT_H_INCLUDED_


#include "record/ngx_redis_verdict.h"


/* the script's is NGX_REDIS_SCRIPT */
typedef enum {
    ngx_redis_form_script = 0,
    ngx_redis_form_straight,            /* SET with NX and GET, or with IFEQ */
    ngx_redis_form_read,                /* GET: the claim was refused as a
                                           write */
    ngx_redis_form_left                 /* PTTL: and it is another's */
} ngx_redis_form_e;


/* between two forms */
typedef struct {
    ngx_redis_form_e             form;      /* of the last reply */
    unsigned long long           ttl;       /* of another's claim that was
                                               read */
    unsigned long long           lease;
} ngx_redis_seen_t;


/*
 * The form in which to ask further after "reply", which was to a command in
 * this one; the same where nothing is left to ask.
 */
ngx_redis_form_e ngx_redis_straight_next(const redisReply *reply,
    ngx_redis_asked_e asked, ngx_redis_form_e form, const ngx_redis_own_t *own,
    ngx_redis_seen_t *seen);

/* as ngx_redis_verdict(), of the last reply: to any form but the script */
ngx_redis_said_e ngx_redis_straight_verdict(const redisReply *reply,
    ngx_redis_asked_e asked, const ngx_redis_own_t *own,
    const ngx_redis_seen_t *seen, ngx_redis_record_reply_t *decoded,
    ngx_redis_words_t *words);


#endif /* _NGX_REDIS_STRAIGHT_H_INCLUDED_ */
