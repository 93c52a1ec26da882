
/*
 * A host's addresses while nginx runs.  Where the resolver fails, what is
 * known already serves.
 */


#include "redis/transport/ngx_redis_resolve.h"


typedef struct {
    ngx_sockaddr_t           sockaddr;
    u_char                   text[NGX_SOCKADDR_STRLEN];
} ngx_redis_resolved_t;


static void ngx_redis_resolve_handler(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_redis_resolve_copy(ngx_redis_resolve_t *resolve,
    ngx_resolver_ctx_t *ctx);


void
ngx_redis_resolve(ngx_redis_resolve_t *resolve, ngx_redis_site_t *site,
    ngx_resolver_t *resolver, ngx_msec_t timeout)
{
    ngx_resolver_ctx_t  *ctx;

    resolve->site = site;

    ctx = ngx_resolve_start(resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        resolve->handler(resolve->data);
        return;
    }

    site->resolving = ctx;

    ctx->name = site->hosts[site->host].name;
    ctx->handler = ngx_redis_resolve_handler;
    ctx->data = resolve;
    ctx->timeout = timeout;
    ctx->cancelable = 1;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        site->resolving = NULL;
        resolve->handler(resolve->data);
    }
}


static void
ngx_redis_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_redis_resolve_t  *resolve;

    resolve = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_ERR, resolve->log, 0,
                      "\"%V\" could not be resolved (%i: %s)",
                      &ctx->name, ctx->state,
                      ngx_resolver_strerror(ctx->state));

    } else {

        /* without memory, what was known before */

        (void) ngx_redis_resolve_copy(resolve, ctx);
    }

    resolve->site->resolving = NULL;
    ngx_resolve_name_done(ctx);

    resolve->handler(resolve->data);
}


static ngx_int_t
ngx_redis_resolve_copy(ngx_redis_resolve_t *resolve,
    ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t             i;
    ngx_addr_t            *addrs;
    ngx_redis_site_t      *site;
    ngx_redis_resolved_t  *copies;

    site = resolve->site;

    addrs = ngx_alloc(ctx->naddrs
                      * (sizeof(ngx_addr_t) + sizeof(ngx_redis_resolved_t)),
                      resolve->log);
    if (addrs == NULL) {
        return NGX_ERROR;
    }

    copies = (ngx_redis_resolved_t *) &addrs[ctx->naddrs];

    for (i = 0; i < ctx->naddrs; i++) {
        ngx_memcpy(&copies[i].sockaddr, ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);

        addrs[i].sockaddr = &copies[i].sockaddr.sockaddr;
        addrs[i].socklen = ctx->addrs[i].socklen;

        ngx_inet_set_port(addrs[i].sockaddr, site->hosts[site->host].port);

        addrs[i].name.data = copies[i].text;
        addrs[i].name.len = ngx_sock_ntop(addrs[i].sockaddr, addrs[i].socklen,
                                          copies[i].text, NGX_SOCKADDR_STRLEN,
                                          1);
    }

    ngx_redis_site_forget_addresses(site);

    site->resolved = addrs;
    site->nresolved = ctx->naddrs;

    return NGX_OK;
}


void
ngx_redis_resolve_cancel(ngx_redis_site_t *site)
{
    if (site->resolving) {
        ngx_resolve_name_done(site->resolving);
        site->resolving = NULL;
    }
}
