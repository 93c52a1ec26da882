
/*
 * The TLS handshake, and its end.
 */

#ifndef _NGX_REDIS_TLS_H_INCLUDED_
#define _NGX_REDIS_TLS_H_INCLUDED_


#include "redis/transport/ngx_redis_stream.h"


/* NGX_AGAIN: the stream's hook "secured", "failed" or "timed_out" follows */
ngx_int_t ngx_redis_tls_start(ngx_redis_stream_t *stream);
void ngx_redis_tls_close(ngx_connection_t *c);

/* what was written in one piece with a password */
void ngx_redis_tls_overwrite(ngx_connection_t *c);


#endif /* _NGX_REDIS_TLS_H_INCLUDED_ */
