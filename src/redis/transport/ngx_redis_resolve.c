
/*
 * A host's addresses while nginx runs.  Where the resolver fails, what is
 * known already serves.
 */


#include "redis/conf/ngx_redis_internal.h"


typedef struct {
    ngx_sockaddr_t           sockaddr;
    u_char                   text[NGX_SOCKADDR_STRLEN];
} ngx_redis_resolved_t;


static void ngx_redis_resolve_handler(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_redis_resolve_copy(ngx_redis_node_t *node,
    ngx_resolver_ctx_t *ctx);


void
ngx_redis_resolve(ngx_redis_node_t *node)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = ngx_resolve_start(node->redis->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_redis_node_resolved(node);
        return;
    }

    node->resolving = ctx;

    ctx->name = node->hosts[node->host].name;
    ctx->handler = ngx_redis_resolve_handler;
    ctx->data = node;
    ctx->timeout = ngx_min(node->redis->resolver_timeout,
                           node->connect_timeout);
    ctx->cancelable = 1;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        node->resolving = NULL;
        ngx_redis_node_resolved(node);
    }
}


static void
ngx_redis_resolve_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_redis_node_t  *node;

    node = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                      "\"%V\" could not be resolved (%i: %s)",
                      &ctx->name, ctx->state,
                      ngx_resolver_strerror(ctx->state));

    } else {

        /* without memory, what was known before */

        (void) ngx_redis_resolve_copy(node, ctx);
    }

    node->resolving = NULL;
    ngx_resolve_name_done(ctx);

    ngx_redis_node_resolved(node);
}


static ngx_int_t
ngx_redis_resolve_copy(ngx_redis_node_t *node, ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t             i;
    ngx_addr_t            *addrs;
    ngx_redis_resolved_t  *copies;

    addrs = ngx_alloc(ctx->naddrs
                      * (sizeof(ngx_addr_t) + sizeof(ngx_redis_resolved_t)),
                      &node->log);
    if (addrs == NULL) {
        return NGX_ERROR;
    }

    copies = (ngx_redis_resolved_t *) &addrs[ctx->naddrs];

    for (i = 0; i < ctx->naddrs; i++) {
        ngx_memcpy(&copies[i].sockaddr, ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);

        addrs[i].sockaddr = &copies[i].sockaddr.sockaddr;
        addrs[i].socklen = ctx->addrs[i].socklen;

        ngx_inet_set_port(addrs[i].sockaddr, node->hosts[node->host].port);

        addrs[i].name.data = copies[i].text;
        addrs[i].name.len = ngx_sock_ntop(addrs[i].sockaddr, addrs[i].socklen,
                                          copies[i].text, NGX_SOCKADDR_STRLEN,
                                          1);
    }

    ngx_redis_resolve_forget(node);

    node->resolved = addrs;
    node->nresolved = ctx->naddrs;

    return NGX_OK;
}


void
ngx_redis_resolve_cancel(ngx_redis_node_t *node)
{
    if (node->resolving) {
        ngx_resolve_name_done(node->resolving);
        node->resolving = NULL;
    }
}


void
ngx_redis_resolve_forget(ngx_redis_node_t *node)
{
    if (node->resolved == NULL) {
        return;
    }

    /* the log may still name the peer */

    node->peer.name = NULL;
    node->addrs = NULL;
    node->naddrs = 0;

    ngx_free(node->resolved);

    node->resolved = NULL;
    node->nresolved = 0;
}
