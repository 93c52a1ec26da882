
/*
 * Replies, as a connection brings them.
 */

#ifndef _NGX_REDIS_INTAKE_H_INCLUDED_
#define _NGX_REDIS_INTAKE_H_INCLUDED_


#include "redis/transport/ngx_redis_stream.h"


/* replies may come; NGX_ERROR when memory failed */
ngx_int_t ngx_redis_intake_begin(ngx_redis_stream_t *stream);

/* NGX_OK: something was read; NGX_AGAIN: nothing is there; NGX_ERROR: it has
   failed */
ngx_int_t ngx_redis_intake(ngx_redis_stream_t *stream);


#endif /* _NGX_REDIS_INTAKE_H_INCLUDED_ */
