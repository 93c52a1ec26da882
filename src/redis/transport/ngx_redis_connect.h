
/*
 * How a link is connected.
 */

#ifndef _NGX_REDIS_CONNECT_H_INCLUDED_
#define _NGX_REDIS_CONNECT_H_INCLUDED_


#include "redis/transport/ngx_redis_link.h"


/* begins to connect */
void ngx_redis_connect(ngx_redis_link_t *link);

/* names are resolved; "data" is the link */
void ngx_redis_connect_resolved(void *data);

/* hooks of its stream */
ngx_int_t ngx_redis_connect_opened(ngx_redis_stream_t *stream);
void ngx_redis_connect_secured(ngx_redis_stream_t *stream);
void ngx_redis_connect_hung_up(ngx_redis_stream_t *stream, ssize_t n);
void ngx_redis_connect_timed_out(ngx_redis_stream_t *stream);


#endif /* _NGX_REDIS_CONNECT_H_INCLUDED_ */
