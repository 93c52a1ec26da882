
/*
 * The commands of one link, in order.
 */

#ifndef _NGX_REDIS_PIPELINE_H_INCLUDED_
#define _NGX_REDIS_PIPELINE_H_INCLUDED_


#include "redis/transport/ngx_redis_breaker.h"
#include "redis/transport/ngx_redis_command.h"
#include "redis/transport/ngx_redis_link.h"


/* the commands of one link, in order */
struct ngx_redis_pipeline_s {
    ngx_queue_t              sent;      /* commands of which a byte was
                                           written, in the replies' order; only
                                           the last may be incomplete */
    ngx_queue_t              waiting;   /* commands not written at all; none
                                           of them is abandoned */
    ngx_queue_t              held;      /* commands that were replied to and
                                           need acknowledgements */
    ngx_redis_link_t        *link;
    ngx_redis_breaker_t     *breaker;   /* told of what is answered */
    ngx_redis_pipeline_t    *home;      /* of those that are lost: it outlives
                                           this one */

    /* a command's time is over */
    void                   (*late)(ngx_redis_pipeline_t *pipeline);

    ngx_redis_command_t     *wait;      /* the WAIT that is pending, or NULL */
    ngx_uint_t               unacked;   /* commands that need one */
    ngx_uint_t               replicas;  /* as the newest of them says */
    ngx_msec_t               wait_timeout;
    ngx_msec_t               timeout;
};


void ngx_redis_pipeline_init(ngx_redis_pipeline_t *pipeline,
    ngx_redis_link_t *link);

/* frees what waits; nothing else is left, for the link is down */
void ngx_redis_pipeline_end(ngx_redis_pipeline_t *pipeline);

/* the last one, and wakes the link */
void ngx_redis_pipeline_add(ngx_redis_pipeline_t *pipeline,
    ngx_redis_command_t *cmd);

/* what is to be written, or NULL; and once it was, in part at least */
ngx_chain_t *ngx_redis_pipeline_unwritten(ngx_redis_pipeline_t *pipeline);
void ngx_redis_pipeline_written(ngx_redis_pipeline_t *pipeline);

/*
 * The command that "reply" is to, out of its queue: NGX_OK; NGX_AGAIN: the
 * reply was to what goes before one; NGX_ERROR after logging: it is to none.
 */
ngx_int_t ngx_redis_pipeline_replied(ngx_redis_pipeline_t *pipeline,
    const redisReply *reply, ngx_redis_command_t **cmd);

/* whether the next reply is to a record's command, and is not kept */
ngx_uint_t ngx_redis_pipeline_swift(ngx_redis_pipeline_t *pipeline);

/* no reply of this connection can be believed: the caller closes it */
void ngx_redis_pipeline_out_of_step(ngx_redis_pipeline_t *pipeline);

/* what was written waits again, but for what nobody waits for */
void ngx_redis_pipeline_rewind(ngx_redis_pipeline_t *pipeline);

/* milliseconds that the oldest command's reply may take */
ngx_msec_t ngx_redis_pipeline_silence(ngx_redis_pipeline_t *pipeline);

/* sets the read timer for it, or says that it means nothing */
void ngx_redis_pipeline_await(ngx_redis_pipeline_t *pipeline);


#endif /* _NGX_REDIS_PIPELINE_H_INCLUDED_ */
