
/*
 * What the scripts answer, limit.lua's part included, and what a value that was
 * found means, taken apart; the proof at its beginning is left to
 * ngx_redis_expect_fits().  Plain C on hiredis' replies: no nginx, no memory,
 * and never a byte beyond what is there.
 */

#ifndef _NGX_REDIS_VERDICT_H_INCLUDED_
#define _NGX_REDIS_VERDICT_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>

#include "contract/sg_value.h"
#include "record/ngx_redis_words.h"


#define NGX_REDIS_LIMITS_MAX   8                    /* of one create */
#define NGX_REDIS_NUMBER_MAX   999999999999999LL    /* of 15 digits, as the
                                                       scripts take them */



/* points into the reply */
typedef struct {
    const char                  *data;
    size_t                       len;
} ngx_redis_text_t;


typedef enum {
    ngx_redis_record_failed = 0,        /* Redis refused the command, or could
                                           not be reached: nothing was done */
    ngx_redis_record_unreadable,        /* a record that this version cannot
                                           read: never to be run over */
    ngx_redis_record_lost,              /* no answer in time: done, or not */
    ngx_redis_record_ok,                /* done as asked; a claim: it is ours */
    ngx_redis_record_stale,             /* not ours any more; nothing done */
    ngx_redis_record_replay,            /* answered before: status, headers,
                                           body */
    ngx_redis_record_tombstone,         /* answered before, but the answer was
                                           too large to keep: status */
    ngx_redis_record_in_progress,       /* another owner's lease: left */
    ngx_redis_record_mismatch,          /* used for another request */
    ngx_redis_record_held,              /* outcome unknown, policy hold */
    ngx_redis_record_limited            /* a limit refused: nothing was done */
} ngx_redis_record_verdict_e;


typedef enum {
    ngx_redis_limits_read = 0,          /* nothing was to be spent */
    ngx_redis_limits_spent,
    ngx_redis_limits_refused            /* those of which none is left refused,
                                           at least one; nothing was spent */
} ngx_redis_limits_verdict_e;


typedef struct {
    unsigned long long           left;      /* creates */
    unsigned long long           reset;     /* seconds until one more is
                                               earned; 0: none is missing */
} ngx_redis_limit_state_t;


/* in the order of the command; n is 0 where none were told */
typedef struct {
    ngx_redis_limits_verdict_e   verdict;
    size_t                       n;
    ngx_redis_limit_state_t      state[NGX_REDIS_LIMITS_MAX];
} ngx_redis_limits_reply_t;


/* what the verdict does not need is zero */
typedef struct {
    ngx_redis_record_verdict_e   verdict;
    unsigned                     status;
    ngx_redis_text_t             headers;
    ngx_redis_text_t             body;
    ngx_redis_text_t             head;      /* of a sealed answer: all in front
                                               of the headers; else empty */
    ngx_redis_text_t             seal;      /* the same: SG_SEAL bytes */
    unsigned long long           left;      /* of the owner's lease,
                                               milliseconds */
    int                          straight;  /* ok: what stands is the value of
                                               the claim, as it was sent */
    int                          apart;     /* failed, as its keys are not
                                               together now: one might do */
    ngx_redis_limits_reply_t     limits;
} ngx_redis_record_reply_t;


/* which verdicts may come */
typedef enum {
    ngx_redis_asked_claim = 0,          /* any but stale */
    ngx_redis_asked_change,             /* ok, stale */
    ngx_redis_asked_spend               /* ok, limited */
} ngx_redis_asked_e;


/* what there is to say about a reply */
typedef enum {
    ngx_redis_said_verdict = 0,         /* nothing */
    ngx_redis_said_error,               /* words: of it */
    ngx_redis_said_unreadable,          /* words: the part of the record that
                                           cannot be used */
    ngx_redis_said_nonsense
} ngx_redis_said_e;


/* whose question it was; not used for ngx_redis_asked_spend */
typedef struct {
    const sg_value_t            *claim;     /* check, fingerprint, token */
    int                          hold;      /* an unknown outcome stays so */
} ngx_redis_own_t;


/*
 * What is no verdict makes one, too: "failed" or, where something may stand
 * under the record's name, "unreadable".  "limited" comes with at least one
 * limit that has refused; that there are as many as were asked about is for the
 * caller to see.
 */
ngx_redis_said_e ngx_redis_verdict(const redisReply *reply,
    ngx_redis_asked_e asked, const ngx_redis_own_t *own,
    ngx_redis_record_reply_t *decoded, ngx_redis_words_t *words);

/*
 * The same of a value that stands under the record's name.  Nonsense where the
 * value alone does not say it: a claim's that is not ours, or, under retry, an
 * unknown outcome's.
 */
ngx_redis_said_e ngx_redis_verdict_value(const char *data, size_t len,
    ngx_redis_asked_e asked, const ngx_redis_own_t *own,
    ngx_redis_record_reply_t *decoded, ngx_redis_words_t *words);


#endif /* _NGX_REDIS_VERDICT_H_INCLUDED_ */
