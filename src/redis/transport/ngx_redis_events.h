
/*
 * A link and its events: made, and ended.
 */

#ifndef _NGX_REDIS_EVENTS_H_INCLUDED_
#define _NGX_REDIS_EVENTS_H_INCLUDED_


#include "redis/transport/ngx_redis_link.h"


/* "link" is zeroed; "hosts" and "greeting" are the caller's and stay */
void ngx_redis_link_init(ngx_redis_link_t *link, ngx_redis_t *redis,
    const ngx_redis_link_hooks_t *hooks, ngx_redis_host_t *hosts,
    ngx_uint_t nhosts, ngx_redis_greeting_t *greeting);

/* closes it, and frees what is its own */
void ngx_redis_link_end(ngx_redis_link_t *link);


#endif /* _NGX_REDIS_EVENTS_H_INCLUDED_ */
