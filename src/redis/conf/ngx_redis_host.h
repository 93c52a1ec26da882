
/*
 * A server: its name, its port, and what is known of its addresses.
 */

#ifndef _NGX_REDIS_HOST_H_INCLUDED_
#define _NGX_REDIS_HOST_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"
#include "redis/reply/ngx_redis_parse.h"


typedef struct {
    ngx_str_t                name;      /* without port, terminated; empty: a
                                           UNIX-domain socket */
    in_port_t                port;
    ngx_addr_t              *addrs;     /* known from the start */
    ngx_uint_t               naddrs;
    char                    *error;     /* why none is known, or NULL */
    unsigned                 literal:1; /* nothing to resolve */
} ngx_redis_host_t;


/* the memory is freed by ngx_redis_host_free() */
ngx_int_t ngx_redis_host_set(ngx_redis_host_t *host,
    const ngx_redis_place_t *place, ngx_log_t *log);
void ngx_redis_host_free(ngx_redis_host_t *host);
ngx_uint_t ngx_redis_host_is(ngx_redis_host_t *host,
    const ngx_redis_place_t *place);

/* whether "name", terminated, is an IP address */
ngx_uint_t ngx_redis_host_literal(ngx_str_t *name);


#endif /* _NGX_REDIS_HOST_H_INCLUDED_ */
