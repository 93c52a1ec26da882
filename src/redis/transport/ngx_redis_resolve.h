
/*
 * A server's addresses while nginx runs.
 */

#ifndef _NGX_REDIS_RESOLVE_H_INCLUDED_
#define _NGX_REDIS_RESOLVE_H_INCLUDED_


#include "redis/transport/ngx_redis_site.h"


/* who asks: it stays */
typedef struct {
    void                   (*handler)(void *data);
    void                    *data;
    ngx_log_t               *log;
    ngx_redis_site_t        *site;      /* the question's */
} ngx_redis_resolve_t;


/* ends in the handler, perhaps within the call; what is known then is in the
   site */
void ngx_redis_resolve(ngx_redis_resolve_t *resolve, ngx_redis_site_t *site,
    ngx_resolver_t *resolver, ngx_msec_t timeout);
void ngx_redis_resolve_cancel(ngx_redis_site_t *site);


#endif /* _NGX_REDIS_RESOLVE_H_INCLUDED_ */
