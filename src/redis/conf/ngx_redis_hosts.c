
/*
 * The servers of a URL, with what is known of their addresses from the start.
 */


#include "redis/conf/ngx_redis_hosts.h"
#include "redis/conf/ngx_redis_conf.h"


ngx_int_t
ngx_redis_hosts(ngx_conf_t *cf, ngx_redis_t *redis, u_char *p, u_char *last,
    in_port_t port)
{
    u_char      *end;
    ngx_str_t    address;
    ngx_uint_t   n;

    n = 1;

    if (redis->topology != ngx_redis_single) {
        for (end = p; end < last; end++) {
            n += (*end == ',');
        }
    }

    redis->hosts = ngx_pcalloc(cf->cycle->pool, n * sizeof(ngx_redis_host_t));
    if (redis->hosts == NULL) {
        return NGX_ERROR;
    }

    redis->nhosts = n;

    for (n = 0; n < redis->nhosts; n++) {

        end = (n + 1 < redis->nhosts) ? ngx_strlchr(p, last, ',') : last;

        address.data = p;
        address.len = end - p;

        if (ngx_redis_host(cf, redis, &redis->hosts[n], &address, port)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = end + 1;
    }

    return NGX_OK;
}


ngx_int_t
ngx_redis_host(ngx_conf_t *cf, ngx_redis_t *redis, ngx_redis_host_t *host,
    ngx_str_t *address, in_port_t port)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *address;
    u.default_port = port;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->cycle->pool, &u) != NGX_OK) {

        if (u.err) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in Redis URL \"%V\"", u.err, &redis->name);
        }

        return NGX_ERROR;
    }

    host->port = u.port;

    /* a name without addresses may do: that is known when all is read */

    if (u.naddrs == 0 && ngx_inet_resolve_host(cf->cycle->pool, &u) != NGX_OK) {

        if (u.err == NULL) {
            return NGX_ERROR;
        }

        host->error = u.err;
        u.naddrs = 0;
    }

    host->addrs = u.addrs;
    host->naddrs = u.naddrs;

    if (u.family == AF_UNIX) {
        host->literal = 1;
        return NGX_OK;
    }

    if (u.host.len && u.host.data[0] == '[') {
        u.host.data++;
        u.host.len -= 2;
    }

    host->name.len = u.host.len;
    host->name.data = ngx_pnalloc(cf->cycle->pool, u.host.len + 1);
    if (host->name.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(host->name.data, u.host.data, u.host.len + 1);

    host->literal = ngx_redis_host_literal(&host->name);

    return NGX_OK;
}
