
/*
 * Where a link is.
 */

#ifndef _NGX_REDIS_SITE_H_INCLUDED_
#define _NGX_REDIS_SITE_H_INCLUDED_


#include "redis/conf/ngx_redis_conf.h"


/* the servers at one of which a link is, or may be, and their addresses */
typedef struct {
    ngx_redis_host_t        *hosts;     /* where it may be */
    ngx_uint_t               nhosts;    /* 0: that is not known yet */
    ngx_redis_host_t         own;       /* the one that a map has named */
    ngx_uint_t               host;      /* the one in use or to be tried */
    ngx_uint_t               unlucky;   /* hosts that failed in a row */
    ngx_addr_t              *addrs;     /* of that host */
    ngx_uint_t               naddrs;
    ngx_uint_t               addr;      /* the one in use or to be tried */
    ngx_uint_t               tried;     /* addresses that failed in a row */
    ngx_str_t               *peer;      /* the one in use, for the log, or
                                           NULL */
    ngx_resolver_ctx_t      *resolving;
    ngx_addr_t              *resolved;  /* by the resolver, of that host */
    ngx_uint_t               nresolved;
#if (NGX_SSL)
    ngx_ssl_session_t       *session;   /* of the last connection, or NULL */
#endif
} ngx_redis_site_t;


/* "hosts" are the caller's and stay */
void ngx_redis_site_set(ngx_redis_site_t *site, ngx_redis_host_t *hosts,
    ngx_uint_t nhosts);

/* to this one alone, which is taken over */
void ngx_redis_site_move(ngx_redis_site_t *site, ngx_redis_host_t *host);

/* where it has been moved to */
void ngx_redis_site_place(ngx_redis_site_t *site, ngx_redis_place_t *place);

/* whether another connection may lead elsewhere */
ngx_uint_t ngx_redis_site_may_move(ngx_redis_site_t *site,
    ngx_redis_t *redis);

/* the address to be tried; NULL: none is known */
ngx_addr_t *ngx_redis_site_address(ngx_redis_site_t *site);

/* to the next address: NGX_DECLINED after the last of them */
ngx_int_t ngx_redis_site_next(ngx_redis_site_t *site);

void ngx_redis_site_forget_addresses(ngx_redis_site_t *site);
void ngx_redis_site_forget_session(ngx_redis_site_t *site);

/* all of it; the resolver has been cancelled */
void ngx_redis_site_free(ngx_redis_site_t *site);


#endif /* _NGX_REDIS_SITE_H_INCLUDED_ */
