
/*
 * What the client's callers and its inside both know.
 */

#ifndef _NGX_REDIS_TYPES_H_INCLUDED_
#define _NGX_REDIS_TYPES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <hiredis/hiredis.h>

#include "redis/reply/ngx_redis_expect.h"


typedef struct ngx_redis_s          ngx_redis_t;
typedef struct ngx_redis_command_s  ngx_redis_command_t;
typedef struct ngx_redis_channel_s  ngx_redis_channel_t;
typedef struct ngx_redis_checkup_s  ngx_redis_checkup_t;


/* the two words with which a command calls a script, as they are written */
#define NGX_REDIS_EVALSHA         "$7" CRLF "EVALSHA" CRLF "$40" CRLF
#define NGX_REDIS_EVALSHA_LEN     (sizeof(NGX_REDIS_EVALSHA) - 1 + 40 + 2)


typedef struct {
    const char   *name;                 /* for the log */
    const char   *source;               /* Lua text, terminated */
    u_char        evalsha[NGX_REDIS_EVALSHA_LEN];   /* with the SHA-1 of source;
                                           filled by ngx_redis_script_init() */
} ngx_redis_script_t;


/* of a command; times are in milliseconds */
typedef struct {
    ngx_msec_t    connect_timeout;      /* connecting, TLS and AUTH together */
    ngx_msec_t    timeout;              /* from submission, connecting and
                                           sending again included */
    ngx_uint_t    failures;             /* in a row, after which the breaker
                                           refuses; 0: it lets pass */
    ngx_msec_t    retry;                /* between probes while it is open */
    ngx_uint_t    replicas;             /* that have to acknowledge the
                                           command; 0: none */
    ngx_msec_t    wait_timeout;         /* for them, once Redis was asked */
} ngx_redis_options_t;


/*
 * rc is NGX_OK with a reply, which lives until the handler returns.  Without
 * one, none came in time: NGX_ABORT when Redis may have run the command, or
 * may yet, NGX_DECLINED when no byte of it was ever written.  NGX_ABORT with a
 * reply: Redis ran it, and too few replicas acknowledged that.
 */
typedef void (*ngx_redis_handler_pt)(void *data, ngx_int_t rc,
    const redisReply *reply);


#define NGX_REDIS_WORDS           48    /* of a command, at most */
#define NGX_REDIS_PROOF           32    /* bytes of a reply's proof, at most */
#define NGX_REDIS_PROOF_TOKEN     8     /* and of a token in it */

#define NGX_REDIS_SCRIPT          0     /* the form that every server takes */

/* what else a server can do */
#define NGX_REDIS_SET_NX_GET      1
#define NGX_REDIS_SET_IFEQ        2


/* words that are the same in many commands, in RESP already */
typedef struct {
    ngx_uint_t    n;
    ngx_str_t     text;
} ngx_redis_tail_t;


/* what a command says; nothing of it is copied but into the command */
typedef struct {
    ngx_redis_script_t  *script;        /* of which these are keys and
                                           arguments; NULL: plain words */
    ngx_uint_t           nkeys;         /* of a script */
    ngx_uint_t           key;           /* the word that has the first key */
    ngx_uint_t           several;       /* unsigned  several:1;  keys, not one
                                           and the same */
    ngx_uint_t           n;
    ngx_str_t            word[NGX_REDIS_WORDS];
    ngx_str_t            rest[2];       /* of the word "parted": it goes on */
    ngx_uint_t           parted;
    ngx_redis_tail_t     tail;          /* what follows all that; n is 0 where
                                           nothing does */

    ngx_redis_expect_e   expect;        /* what the reply may be */
    u_char               proof[NGX_REDIS_PROOF];    /* a script's is made of its
                                           first arguments, unless given */
    size_t               proof_len;
} ngx_redis_phrase_t;


/*
 * Who has a question for Redis that can be asked in several forms, of which
 * NGX_REDIS_SCRIPT is one.  "data" and all words stay until "done" was called
 * or the command cancelled.
 */
typedef struct {

    /* fills the phrase of a form, which is zeroed but for its words */
    void                   (*words)(void *data, ngx_uint_t form,
                                    ngx_redis_phrase_t *phrase);

    /* the form in which it is to be asked further, in what is left of its
       time; the same: the reply, which was to this form, is the answer, and
       "done" is called with it */
    ngx_uint_t             (*next)(void *data, ngx_uint_t form,
                                   const redisReply *reply);

    ngx_redis_handler_pt     done;
} ngx_redis_asker_t;


/*
 * A message, valid until the handler returns; NULL when the channel has been
 * subscribed, and what was published before went unheard, or is not any more.
 */
typedef void (*ngx_redis_message_pt)(void *data, const ngx_str_t *message);


#endif /* _NGX_REDIS_TYPES_H_INCLUDED_ */
