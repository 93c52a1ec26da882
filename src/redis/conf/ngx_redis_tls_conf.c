
/*
 * TLS as it is configured: which certificates are trusted, and which one is
 * ours.
 */


#include "redis/conf/ngx_redis_tls_conf.h"
#include "redis/conf/ngx_redis_conf.h"


#define NGX_REDIS_TLS_DEPTH       9


#if (NGX_SSL)

static ngx_int_t ngx_redis_tls_trust(ngx_conf_t *cf, ngx_redis_tls_t *tls,
    ngx_str_t *trusted);


ngx_int_t
ngx_redis_tls_init(ngx_conf_t *cf, ngx_redis_t *redis, ngx_uint_t verify,
    ngx_str_t *name, ngx_str_t *trusted, ngx_str_t *certificate,
    ngx_str_t *key)
{
    ngx_redis_tls_t     *tls;
    ngx_pool_cleanup_t  *cln;

    tls = ngx_pcalloc(cf->cycle->pool, sizeof(ngx_redis_tls_t));
    if (tls == NULL) {
        return NGX_ERROR;
    }

    tls->name = *name;                  /* terminated, as the words are */
    tls->verify = verify;
    tls->ssl.log = cf->log;

    if (ngx_ssl_create(&tls->ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(&tls->ssl);
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = &tls->ssl;

    if (certificate->len
        && ngx_ssl_certificate(cf, &tls->ssl, certificate, key, NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_redis_tls_trust(cf, tls, trusted) != NGX_OK
        || ngx_ssl_client_session_cache(cf, &tls->ssl, 1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    redis->tls = tls;

    return NGX_OK;
}


static ngx_int_t
ngx_redis_tls_trust(ngx_conf_t *cf, ngx_redis_tls_t *tls, ngx_str_t *trusted)
{
    if (!tls->verify) {
        return NGX_OK;
    }

    if (trusted->len) {
        return ngx_ssl_trusted_certificate(cf, &tls->ssl, trusted,
                                           NGX_REDIS_TLS_DEPTH);
    }

    if (SSL_CTX_set_default_verify_paths(tls->ssl.ctx) != 1) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_ERROR;
    }

    SSL_CTX_set_verify_depth(tls->ssl.ctx, NGX_REDIS_TLS_DEPTH);

    return NGX_OK;
}


#else


ngx_int_t
ngx_redis_tls_init(ngx_conf_t *cf, ngx_redis_t *redis, ngx_uint_t verify,
    ngx_str_t *name, ngx_str_t *trusted, ngx_str_t *certificate,
    ngx_str_t *key)
{
    return NGX_ERROR;                   /* the URL has been refused */
}


#endif
