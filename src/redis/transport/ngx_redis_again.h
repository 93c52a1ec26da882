
/*
 * Commands that are asked again.
 */

#ifndef _NGX_REDIS_AGAIN_H_INCLUDED_
#define _NGX_REDIS_AGAIN_H_INCLUDED_


#include "redis/transport/ngx_redis_node.h"


/* NGX_OK: "reply" does not settle the command, which is on its way once more;
   NGX_DECLINED, NGX_ERROR: it is the answer */
ngx_int_t ngx_redis_again(ngx_redis_node_t *node, ngx_redis_command_t *cmd,
    const redisReply *reply);

/* Redis has ended the connection: sources that were on their way are given up,
   in case it was for their sake */
void ngx_redis_again_hung_up(ngx_redis_node_t *node);


#endif /* _NGX_REDIS_AGAIN_H_INCLUDED_ */
