
/*
 * What a cluster's nodes say of it.
 */

#ifndef _NGX_REDIS_CLUSTER_H_INCLUDED_
#define _NGX_REDIS_CLUSTER_H_INCLUDED_


#include "redis/topology/ngx_redis_map.h"


/* before the question: how the cluster is, as the node sees it */
void ngx_redis_cluster_ask_health(ngx_redis_node_t *node, ngx_msec_t timeout);

/* the words of the question, and what is made of a node's answer: NGX_DECLINED
   when it is of no use */
ngx_uint_t ngx_redis_cluster_question(const char **words);
ngx_int_t ngx_redis_cluster_answer(ngx_redis_map_t *map,
    ngx_redis_node_t *node, const redisReply *reply);


#endif /* _NGX_REDIS_CLUSTER_H_INCLUDED_ */
