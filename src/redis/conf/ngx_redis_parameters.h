
/*
 * What follows a URL: name=value.
 */

#ifndef _NGX_REDIS_PARAMETERS_H_INCLUDED_
#define _NGX_REDIS_PARAMETERS_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


/* what follows the URL in "args" */
ngx_int_t ngx_redis_parameters(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *args, ngx_uint_t nargs);


#endif /* _NGX_REDIS_PARAMETERS_H_INCLUDED_ */
