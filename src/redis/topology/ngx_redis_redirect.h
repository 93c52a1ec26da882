
/*
 * Replies that send a command elsewhere.
 */

#ifndef _NGX_REDIS_REDIRECT_H_INCLUDED_
#define _NGX_REDIS_REDIRECT_H_INCLUDED_


#include "redis/topology/ngx_redis_map.h"


/*
 * NGX_OK: "reply" sends the command elsewhere or to a later time, and that has
 * been done; NGX_DECLINED: it is the caller's.
 */
ngx_int_t ngx_redis_redirect(ngx_redis_command_t *cmd,
    const redisReply *reply);


#endif /* _NGX_REDIS_REDIRECT_H_INCLUDED_ */
