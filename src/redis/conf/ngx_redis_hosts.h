
/*
 * The servers of a URL.
 */

#ifndef _NGX_REDIS_HOSTS_H_INCLUDED_
#define _NGX_REDIS_HOSTS_H_INCLUDED_


#include "redis/conf/ngx_redis_host.h"


/* from p to last: one, or with sentinels or a cluster some, with commas between
   them; "port" is where none is named */
ngx_int_t ngx_redis_hosts(ngx_conf_t *cf, ngx_redis_t *redis, u_char *p,
    u_char *last, in_port_t port);

/* "address" is one that nginx understands */
ngx_int_t ngx_redis_host(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_redis_host_t *host, ngx_str_t *address, in_port_t port);


#endif /* _NGX_REDIS_HOSTS_H_INCLUDED_ */
