
/*
 * How long a node is silent.
 */

#ifndef _NGX_REDIS_QUIET_H_INCLUDED_
#define _NGX_REDIS_QUIET_H_INCLUDED_


#include "redis/transport/ngx_redis_node.h"


#define NGX_REDIS_QUIET           1000  /* milliseconds without a byte, and
                                           between two spare connections */


/* milliseconds until the next step towards a spare connection, or
   NGX_TIMER_INFINITE: nothing is awaited */
ngx_msec_t ngx_redis_quiet_due(ngx_redis_node_t *node);

/* a node's hook: NGX_ERROR when the connection is to go */
ngx_int_t ngx_redis_quiet_silent(ngx_redis_link_t *link);


#endif /* _NGX_REDIS_QUIET_H_INCLUDED_ */
