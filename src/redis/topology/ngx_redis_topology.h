
/*
 * All that a worker keeps of a Redis: made, and ended.
 */

#ifndef _NGX_REDIS_TOPOLOGY_H_INCLUDED_
#define _NGX_REDIS_TOPOLOGY_H_INCLUDED_


#include "redis/topology/ngx_redis_map.h"


/* this worker's, made when it is first needed; NULL when memory failed */
ngx_redis_map_t *ngx_redis_topology_get(ngx_redis_t *redis);
void ngx_redis_topology_end(ngx_redis_map_t *map);


#endif /* _NGX_REDIS_TOPOLOGY_H_INCLUDED_ */
