
/*
 * What sentinels say of the master.
 */

#ifndef _NGX_REDIS_SENTINEL_H_INCLUDED_
#define _NGX_REDIS_SENTINEL_H_INCLUDED_


#include "redis/topology/ngx_redis_map.h"


/* the words of the question, and what is made of a sentinel's answer:
   NGX_DECLINED when it is of no use */
ngx_uint_t ngx_redis_sentinel_question(ngx_redis_map_t *map,
    const char **words);
ngx_int_t ngx_redis_sentinel_answer(ngx_redis_map_t *map,
    ngx_redis_node_t *guide, const redisReply *reply);

/* subscribes where that is still to be done */
void ngx_redis_sentinel_watch(ngx_redis_map_t *map);


#endif /* _NGX_REDIS_SENTINEL_H_INCLUDED_ */
