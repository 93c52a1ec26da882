
/*
 * Another connection beside a silent one.
 */

#ifndef _NGX_REDIS_SPARE_H_INCLUDED_
#define _NGX_REDIS_SPARE_H_INCLUDED_


#include "redis/transport/ngx_redis_node.h"


/* a spare connection, or a late one */
struct ngx_redis_spare_s {
    ngx_redis_link_t         link;      /* the first */
    ngx_redis_pipeline_t     pipeline;  /* late: places of replies */
    ngx_redis_node_t        *principal;
};


void ngx_redis_spare_init(ngx_redis_node_t *node);

/* the connection goes, and what is beside it */
void ngx_redis_spare_close(ngx_redis_node_t *node);

/* something was read, or a connection was made */
void ngx_redis_spare_heard(ngx_redis_node_t *node);

/* something was written */
void ngx_redis_spare_watch(ngx_redis_node_t *node);


#endif /* _NGX_REDIS_SPARE_H_INCLUDED_ */
