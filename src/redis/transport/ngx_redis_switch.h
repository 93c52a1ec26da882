
/*
 * Two connections change places.
 */

#ifndef _NGX_REDIS_SWITCH_H_INCLUDED_
#define _NGX_REDIS_SWITCH_H_INCLUDED_


#include "redis/transport/ngx_redis_spare.h"


/* the node gets the spare's connection, which becomes the late one */
void ngx_redis_switch(ngx_redis_node_t *node, ngx_redis_spare_t *spare);


#endif /* _NGX_REDIS_SWITCH_H_INCLUDED_ */
