
/*
 * Where a link is: servers, and of the one in use, its addresses.
 */


#include "redis/transport/ngx_redis_site.h"


void
ngx_redis_site_set(ngx_redis_site_t *site, ngx_redis_host_t *hosts,
    ngx_uint_t nhosts)
{
    site->hosts = hosts;
    site->nhosts = nhosts;
}


void
ngx_redis_site_move(ngx_redis_site_t *site, ngx_redis_host_t *host)
{
    ngx_redis_site_free(site);

    site->own = *host;
    site->hosts = &site->own;
    site->nhosts = 1;
    site->host = 0;
    site->addr = 0;
    site->tried = 0;
    site->peer = NULL;                  /* of the old place's memory */
}


void
ngx_redis_site_place(ngx_redis_site_t *site, ngx_redis_place_t *place)
{
    place->host = (const char *) site->own.name.data;
    place->len = site->own.name.len;
    place->port = site->own.port;
}


ngx_uint_t
ngx_redis_site_may_move(ngx_redis_site_t *site, ngx_redis_t *redis)
{
    return site->nhosts > 1
           || site->naddrs > 1
           || (redis->resolver && !site->hosts[site->host].literal);
}


ngx_addr_t *
ngx_redis_site_address(ngx_redis_site_t *site)
{
    if (site->nresolved) {
        site->addrs = site->resolved;
        site->naddrs = site->nresolved;

    } else {
        site->addrs = site->hosts[site->host].addrs;
        site->naddrs = site->hosts[site->host].naddrs;
    }

    return site->naddrs ? &site->addrs[site->addr % site->naddrs] : NULL;
}


ngx_int_t
ngx_redis_site_next(ngx_redis_site_t *site)
{
    site->addr++;

    if (++site->tried < site->naddrs) {
        return NGX_OK;
    }

    site->tried = 0;

    if (site->nhosts == 1) {
        return NGX_DECLINED;
    }

    site->host = (site->host + 1) % site->nhosts;

    ngx_redis_site_forget_addresses(site);
    ngx_redis_site_forget_session(site);

    if (++site->unlucky < site->nhosts) {
        return NGX_OK;
    }

    site->unlucky = 0;

    return NGX_DECLINED;
}


void
ngx_redis_site_forget_addresses(ngx_redis_site_t *site)
{
    if (site->resolved == NULL) {
        return;
    }

    /* the log may still name the peer */

    site->peer = NULL;
    site->addrs = NULL;
    site->naddrs = 0;

    ngx_free(site->resolved);

    site->resolved = NULL;
    site->nresolved = 0;
}


void
ngx_redis_site_forget_session(ngx_redis_site_t *site)
{
#if (NGX_SSL)

    if (site->session) {
        ngx_ssl_free_session(site->session);
        site->session = NULL;
    }

#endif
}


void
ngx_redis_site_free(ngx_redis_site_t *site)
{
    ngx_redis_site_forget_addresses(site);
    ngx_redis_site_forget_session(site);
    ngx_redis_host_free(&site->own);
}
