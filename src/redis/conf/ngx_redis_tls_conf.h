
/*
 * TLS as it is configured.
 */

#ifndef _NGX_REDIS_TLS_CONF_H_INCLUDED_
#define _NGX_REDIS_TLS_CONF_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


#if (NGX_SSL)

typedef struct {
    ngx_ssl_t                ssl;
    ngx_str_t                name;      /* of the certificate, terminated;
                                           empty: the host's */
    ngx_uint_t               verify;    /* unsigned  verify:1; */
} ngx_redis_tls_t;

#endif


/* all strings may be empty and are terminated */
ngx_int_t ngx_redis_tls_init(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_uint_t verify, ngx_str_t *name, ngx_str_t *trusted,
    ngx_str_t *certificate, ngx_str_t *key);


#endif /* _NGX_REDIS_TLS_CONF_H_INCLUDED_ */
