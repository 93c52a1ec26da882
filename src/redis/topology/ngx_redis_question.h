
/*
 * Who is asked about the map, and when.
 */

#ifndef _NGX_REDIS_QUESTION_H_INCLUDED_
#define _NGX_REDIS_QUESTION_H_INCLUDED_


#include "redis/topology/ngx_redis_map.h"


/* the map's timer */
void ngx_redis_question_handler(ngx_event_t *ev);

/* the connection is lost */
void ngx_redis_question_lost(ngx_redis_node_t *node);

/* the node goes */
void ngx_redis_question_cancel(ngx_redis_node_t *node);


#endif /* _NGX_REDIS_QUESTION_H_INCLUDED_ */
