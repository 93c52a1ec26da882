
/*
 * Acknowledgements of replicas.
 */

#ifndef _NGX_REDIS_ACK_H_INCLUDED_
#define _NGX_REDIS_ACK_H_INCLUDED_


#include "redis/transport/ngx_redis_pipeline.h"


/* the command waits in its pipeline, and may need acknowledgements */
void ngx_redis_ack_enter(ngx_redis_command_t *cmd);

/* puts a WAIT behind the waiting commands, if one is needed */
void ngx_redis_ack_queue(ngx_redis_pipeline_t *pipeline);

/* keeps the command and "reply" until replicas have acknowledged */
void ngx_redis_ack_hold(ngx_redis_command_t *cmd, redisReply *reply);

/* Redis has ended the connection: says so, if that may be for WAIT's sake */
void ngx_redis_ack_hung_up(ngx_redis_pipeline_t *pipeline);

/* the connection is lost: before, and after what was sent waits again */
void ngx_redis_ack_cancel(ngx_redis_pipeline_t *pipeline);
void ngx_redis_ack_rewind(ngx_redis_pipeline_t *pipeline);


#endif /* _NGX_REDIS_ACK_H_INCLUDED_ */
