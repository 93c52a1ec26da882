
/*
 * INFO, when there is time.
 */

#ifndef _NGX_REDIS_INFO_H_INCLUDED_
#define _NGX_REDIS_INFO_H_INCLUDED_


#include "redis/transport/ngx_redis_node.h"


/* of a new connection; who is only asked the way holds no records */
#define ngx_redis_info_curious(node)                                          \
    ((node)->link.greeter.greeting == &(node)->link.redis->greeting           \
     && !(node)->discreet)

#define ngx_redis_info_wanted(node)                                           \
    ((node)->curious                                                          \
     && ngx_queue_empty(&(node)->pipeline.sent)                               \
     && ngx_queue_empty(&(node)->pipeline.waiting)                            \
     && ngx_queue_empty(&(node)->pipeline.held))

/* another connection, about which nothing is known: what was not written to one
   yet is asked by its script */
void ngx_redis_info_forget(ngx_redis_node_t *node);

/* asks, if nothing else is on the connection */
void ngx_redis_info_ask(ngx_redis_node_t *node);

/* a node of a cluster, as Redis says of itself: told once, where it is not one
   of many */
void ngx_redis_info_clustered(ngx_redis_node_t *node);

/* the other side did, or the connection is lost some other way */
void ngx_redis_info_hung_up(ngx_redis_node_t *node);
void ngx_redis_info_cancel(ngx_redis_node_t *node);


#endif /* _NGX_REDIS_INFO_H_INCLUDED_ */
