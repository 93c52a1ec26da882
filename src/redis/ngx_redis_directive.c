
/*
 * What a configuration names: one client for the same words.
 */


#include "redis/ngx_redis.h"
#include "redis/conf/ngx_redis_conf.h"
#include "redis/conf/ngx_redis_parameters.h"
#include "redis/conf/ngx_redis_url.h"


/* Angie has a list in the place of an array */

#if (angie_version >= 1012000)
#define ngx_redis_resolver_exists(r)  ((r)->connections != NULL)
#else
#define ngx_redis_resolver_exists(r)  ((r)->connections.nelts != 0)
#endif


static ngx_int_t ngx_redis_words(ngx_conf_t *cf, ngx_str_t *words,
    ngx_str_t *args, ngx_uint_t nargs);


ngx_redis_t *
ngx_redis_add(ngx_conf_t *cf, ngx_array_t *nodes, ngx_str_t *args,
    ngx_uint_t nargs)
{
    ngx_str_t      words;
    ngx_uint_t     i;
    ngx_redis_t   *redis, **slot;

    if (ngx_redis_words(cf, &words, args, nargs) != NGX_OK) {
        return NULL;
    }

    slot = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {
        if (slot[i]->words.len == words.len
            && ngx_memcmp(slot[i]->words.data, words.data, words.len) == 0)
        {
            return slot[i];
        }
    }

    redis = ngx_pcalloc(cf->cycle->pool, sizeof(ngx_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    redis->words = words;

    if (ngx_redis_url(cf, redis, &args[0]) != NGX_OK
        || ngx_redis_parameters(cf, redis, &args[1], nargs - 1) != NGX_OK)
    {
        return NULL;
    }

    slot = ngx_array_push(nodes);
    if (slot == NULL) {
        return NULL;
    }

    *slot = redis;

    return redis;
}


static ngx_int_t
ngx_redis_words(ngx_conf_t *cf, ngx_str_t *words, ngx_str_t *args,
    ngx_uint_t nargs)
{
    u_char      *p;
    ngx_uint_t   i;

    words->len = 0;

    for (i = 0; i < nargs; i++) {
        words->len += args[i].len + 1;
    }

    words->data = ngx_pnalloc(cf->cycle->pool, words->len);
    if (words->data == NULL) {
        return NGX_ERROR;
    }

    p = words->data;

    for (i = 0; i < nargs; i++) {
        p = ngx_cpymem(p, args[i].data, args[i].len);
        *p++ = '\0';
    }

    return NGX_OK;
}


void
ngx_redis_set_resolver(ngx_redis_t *redis, ngx_resolver_t *resolver,
    ngx_msec_t timeout)
{
    /* http has a dummy where none is configured */

    if (redis->resolver || resolver == NULL
        || !ngx_redis_resolver_exists(resolver))
    {
        return;
    }

    redis->resolver = resolver;
    redis->resolver_timeout = timeout;
}


void
ngx_redis_set_value(ngx_redis_t *redis, size_t size)
{
    redis->value = ngx_max(redis->value, size);
}


ngx_int_t
ngx_redis_check(ngx_conf_t *cf, ngx_array_t *nodes)
{
    ngx_uint_t         i, j;
    ngx_redis_t      **redis;
    ngx_redis_host_t  *host;

    redis = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {
        for (j = 0; j < redis[i]->nhosts; j++) {
            host = &redis[i]->hosts[j];

            if (host->error == NULL) {
                continue;
            }

            if (redis[i]->resolver) {
                ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                                   "%s in Redis URL \"%V\": \"%V\" is resolved "
                                   "when a connection is made",
                                   host->error, &redis[i]->name, &host->name);
                continue;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in Redis URL \"%V\": \"%V\" has to be known "
                               "now, or needs a \"resolver\"",
                               host->error, &redis[i]->name, &host->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_redis_same(ngx_redis_t *one, ngx_redis_t *two)
{
    ngx_uint_t         i, j, m, n;
    ngx_redis_host_t  *a, *b;

    if (one->db != two->db
        || one->master.len != two->master.len
        || (one->master.len
            && ngx_strncmp(one->master.data, two->master.data,
                           one->master.len)
               != 0))
    {
        return 0;
    }

    for (i = 0; i < one->nhosts; i++) {
        for (j = 0; j < two->nhosts; j++) {

            a = &one->hosts[i];
            b = &two->hosts[j];

            /* names that are not known yet */

            if (a->error && b->error
                && a->port == b->port
                && a->name.len == b->name.len
                && ngx_strncasecmp(a->name.data, b->name.data, a->name.len)
                   == 0)
            {
                return 1;
            }

            for (m = 0; m < a->naddrs; m++) {
                for (n = 0; n < b->naddrs; n++) {

                    if (ngx_cmp_sockaddr(a->addrs[m].sockaddr,
                                         a->addrs[m].socklen,
                                         b->addrs[n].sockaddr,
                                         b->addrs[n].socklen, 1)
                        == NGX_OK)
                    {
                        return 1;
                    }
                }
            }
        }
    }

    return 0;
}
