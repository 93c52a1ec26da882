
/*
 * A command: its words, and what may be the reply.
 */

#ifndef _NGX_REDIS_COMMAND_H_INCLUDED_
#define _NGX_REDIS_COMMAND_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"
#include "redis/reply/ngx_redis_expect.h"
#include "worker/ngx_segments_timer.h"


typedef struct ngx_redis_pipeline_s  ngx_redis_pipeline_t;


struct ngx_redis_command_s {
    ngx_queue_t              queue;     /* in its pipeline's sent, waiting or
                                           held */
    ngx_redis_pipeline_t    *pipeline;

    ngx_log_t               *log;       /* its pipeline's */

    ngx_segments_timer_t     deadline;
    ngx_msec_t               due;       /* the deadline's time, without what is
                                           given it once more */
    ngx_redis_handler_pt     handler;   /* NULL: abandoned, the reply is to be
                                           dropped */
    void                    *data;      /* the handler's */
    ngx_msec_t               timeout;

    const ngx_redis_asker_t *asker;     /* NULL: plain words of our own; not to
                                           be asked for any once abandoned */
    ngx_redis_script_t      *script;    /* that it calls, or loads; or NULL */
    ngx_uint_t               form;      /* in which it stands here */
    ngx_uint_t               needs;     /* what a server has to be able to do
                                           for that */
    ngx_uint_t               slot;      /* of the first key; in a cluster */
    ngx_uint_t               several;   /* unsigned  several:1;  keys, not one
                                           and the same */
    ngx_uint_t               hops;      /* redirections */
    ngx_uint_t               replicas;  /* that have to acknowledge it */
    ngx_msec_t               wait_timeout;
    redisReply              *reply;     /* held, or NULL */
    ngx_redis_command_t     *twin;      /* of a command that was sent twice: its
                                           place on the late connection; of that
                                           place: the command; or NULL */

    ngx_redis_expect_e       expect;    /* what its reply may be */
    u_char                   proof[NGX_REDIS_PROOF];    /* of a script's */
    size_t                   proof_len;

    ngx_buf_t                buf;       /* in RESP */
    ngx_chain_t              link;
    unsigned                 aside:1;   /* that it is answered says nothing of
                                           the others */
    unsigned                 awaited:1; /* by a request, though no script */
    unsigned                 refused:1; /* by the breaker: in no queue */
    unsigned                 loaded:1;  /* behind the script's source */
    unsigned                 eval:1;    /* with it: that was in vain */
    unsigned                 asking:1;  /* ASKING goes before it */
    unsigned                 asked:1;   /* and was replied to */
    unsigned                 again:1;   /* its connection was out of step */
    unsigned                 lost:1;    /* and the next one, too: in no queue */
    unsigned                 own:1;     /* the buffer is not within the command,
                                           where it was first */
    unsigned                 place:1;   /* nothing but a reply's place */
    unsigned                 overdue:1; /* its deadline has passed once */
    unsigned                 unacked:1; /* counted so by its pipeline */
    unsigned                 written:1; /* in part at least, to this
                                           connection or an earlier one */
};


/* "log" stays as long as the command, or until it goes to another pipeline */
ngx_redis_command_t *ngx_redis_command_create(ngx_log_t *log,
    const ngx_redis_asker_t *asker, void *data, ngx_uint_t form,
    ngx_uint_t needs, ngx_uint_t sharded);
ngx_redis_command_t *ngx_redis_command_words(ngx_log_t *log,
    const char **words, ngx_uint_t n);

/* one that has a twin has parted from it: ngx_redis_call_free() */
void ngx_redis_command_free(ngx_redis_command_t *cmd);

/* to be written from its beginning, to whatever connection, and to be replied
   to as if it had never been written; as the script where it was */
void ngx_redis_command_rewind(ngx_redis_command_t *cmd);

/* to be asked in this form from now on; NGX_ERROR leaves it as it was */
ngx_int_t ngx_redis_command_form(ngx_redis_command_t *cmd, ngx_uint_t form);

/* what stands for a written command on a late connection: the place of its
   reply */
ngx_redis_command_t *ngx_redis_command_place(ngx_log_t *log,
    ngx_redis_command_t *cmd);

/* from EVALSHA to EVAL; NGX_ERROR leaves it as it was */
ngx_int_t ngx_redis_command_eval(ngx_redis_command_t *cmd);

/* with ASKING before it, or without; NGX_ERROR leaves it as it was */
ngx_int_t ngx_redis_command_asking(ngx_redis_command_t *cmd, ngx_uint_t on);

/* whether "reply" can be the one that the command waits for: with ASKING that
   one's first */
ngx_uint_t ngx_redis_command_answered(ngx_redis_command_t *cmd,
    const redisReply *reply);

/* whether "reply" says that EVALSHA found no script */
ngx_uint_t ngx_redis_script_missing(ngx_redis_command_t *cmd,
    const redisReply *reply);


#endif /* _NGX_REDIS_COMMAND_H_INCLUDED_ */
