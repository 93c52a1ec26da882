
/*
 * The URL of a Redis.
 */

#ifndef _NGX_REDIS_URL_H_INCLUDED_
#define _NGX_REDIS_URL_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


/* NGX_ERROR after logging at emerg */
ngx_int_t ngx_redis_url(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url);


#endif /* _NGX_REDIS_URL_H_INCLUDED_ */
