
/*
 * A server, by the name or the address that other servers tell.
 */


#include "redis/conf/ngx_redis_host.h"


/* one piece of memory; begins with the address, by which it is freed */
typedef struct {
    ngx_addr_t               addr;
    ngx_sockaddr_t           sockaddr;
    u_char                   text[NGX_SOCKADDR_STRLEN];
    u_char                   name[NGX_REDIS_HOST + 1];
} ngx_redis_host_memory_t;


ngx_int_t
ngx_redis_host_set(ngx_redis_host_t *host, const ngx_redis_place_t *place,
    ngx_log_t *log)
{
    struct sockaddr_in       *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6      *sin6;
#endif
    ngx_redis_host_memory_t  *m;

    m = ngx_calloc(sizeof(ngx_redis_host_memory_t), log);
    if (m == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(m->name, place->host, place->len);

    host->name.data = m->name;
    host->name.len = place->len;
    host->port = (in_port_t) place->port;
    host->addrs = &m->addr;
    host->literal = ngx_redis_host_literal(&host->name);
    host->naddrs = host->literal;

    if (!host->literal) {
        return NGX_OK;
    }

    m->addr.sockaddr = &m->sockaddr.sockaddr;

    sin = &m->sockaddr.sockaddr_in;
    sin->sin_addr.s_addr = ngx_inet_addr(m->name, place->len);

    if (sin->sin_addr.s_addr != INADDR_NONE) {
        sin->sin_family = AF_INET;
        m->addr.socklen = sizeof(struct sockaddr_in);

    } else {
#if (NGX_HAVE_INET6)
        sin->sin_addr.s_addr = 0;

        sin6 = &m->sockaddr.sockaddr_in6;
        sin6->sin6_family = AF_INET6;
        (void) ngx_inet6_addr(m->name, place->len, sin6->sin6_addr.s6_addr);

        m->addr.socklen = sizeof(struct sockaddr_in6);
#endif
    }

    ngx_inet_set_port(m->addr.sockaddr, host->port);

    m->addr.name.data = m->text;
    m->addr.name.len = ngx_sock_ntop(m->addr.sockaddr, m->addr.socklen,
                                     m->text, NGX_SOCKADDR_STRLEN, 1);

    return NGX_OK;
}


void
ngx_redis_host_free(ngx_redis_host_t *host)
{
    if (host->addrs) {
        ngx_free(host->addrs);
        ngx_memzero(host, sizeof(ngx_redis_host_t));
    }
}


ngx_uint_t
ngx_redis_host_is(ngx_redis_host_t *host, const ngx_redis_place_t *place)
{
    return host->port == (in_port_t) place->port
           && host->name.len == place->len
           && ngx_strncasecmp(host->name.data, (u_char *) place->host,
                              place->len)
              == 0;
}


ngx_uint_t
ngx_redis_host_literal(ngx_str_t *name)
{
#if (NGX_HAVE_INET6)
    u_char  addr[16];

    if (ngx_inet6_addr(name->data, name->len, addr) == NGX_OK) {
        return 1;
    }
#endif

    return ngx_inet_addr(name->data, name->len) != INADDR_NONE;
}
