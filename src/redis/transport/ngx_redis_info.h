
/*
 * INFO, before all else on a new connection.
 */

#ifndef _NGX_REDIS_INFO_H_INCLUDED_
#define _NGX_REDIS_INFO_H_INCLUDED_


#include "redis/transport/ngx_redis_node.h"


/* another connection, about which nothing is known: what was not written to one
   yet is asked by its script */
void ngx_redis_info_forget(ngx_redis_node_t *node);

/* asks, on a connection to which nothing was written yet, before what waits */
void ngx_redis_info_ask(ngx_redis_node_t *node);

/* a node of a cluster, as Redis says of itself: told once, where it is not one
   of many */
void ngx_redis_info_clustered(ngx_redis_node_t *node);

/* the other side did, or the connection is lost some other way */
void ngx_redis_info_hung_up(ngx_redis_node_t *node);
void ngx_redis_info_cancel(ngx_redis_node_t *node);


#endif /* _NGX_REDIS_INFO_H_INCLUDED_ */
