
/*
 * What is asked of the system about a connection.
 */

#ifndef _NGX_REDIS_SOCKET_H_INCLUDED_
#define _NGX_REDIS_SOCKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/* idle connections are probed */
void ngx_redis_socket_keepalive(ngx_connection_t *c);

/* whether the system has connected; NGX_ERROR after logging why not */
ngx_int_t ngx_redis_socket_test(ngx_connection_t *c);

/* closing sends a reset: what has not left yet never will */
void ngx_redis_socket_reset(ngx_connection_t *c);


#endif /* _NGX_REDIS_SOCKET_H_INCLUDED_ */
