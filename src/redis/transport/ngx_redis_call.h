
/*
 * A command for which somebody waits.
 */

#ifndef _NGX_REDIS_CALL_H_INCLUDED_
#define _NGX_REDIS_CALL_H_INCLUDED_


#include "redis/transport/ngx_redis_pipeline.h"


/*
 * "cmd", with its pipeline and in no queue, gets a handler and "timeout"
 * milliseconds: the handler is called once, never within this call.
 */
void ngx_redis_call(ngx_redis_command_t *cmd, ngx_msec_t timeout,
    ngx_redis_handler_pt handler, void *data);

/* a command of constant, terminated words, past the breaker; NULL when memory
   failed */
ngx_redis_command_t *ngx_redis_call_words(ngx_redis_pipeline_t *pipeline,
    const char **words, ngx_uint_t n, ngx_msec_t timeout,
    ngx_redis_handler_pt handler, void *data);

/* takes a live command, in no queue, from its pipeline to this one */
void ngx_redis_call_move(ngx_redis_command_t *cmd,
    ngx_redis_pipeline_t *pipeline);

/* the handler will not be called: NGX_ABORT or NGX_DECLINED, as for it */
ngx_int_t ngx_redis_call_cancel(ngx_redis_command_t *cmd);

/* hands "rc" and "reply" to the handler, unless abandoned, and frees the
   command, which is in no queue */
void ngx_redis_call_complete(ngx_redis_command_t *cmd, ngx_int_t rc,
    const redisReply *reply);

/* hands "reply", which is to this form of it, to a live command that is still
   to be answered elsewhere, where that answers it */
void ngx_redis_call_answer(ngx_redis_command_t *cmd, ngx_uint_t form,
    const redisReply *reply);

/* the command and its place on a late connection forget each other */
void ngx_redis_call_part(ngx_redis_command_t *cmd);

void ngx_redis_call_free(ngx_redis_command_t *cmd);


#endif /* _NGX_REDIS_CALL_H_INCLUDED_ */
