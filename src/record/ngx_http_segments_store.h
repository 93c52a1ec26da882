
/*
 * Where records and limits are kept.
 */

#ifndef _NGX_HTTP_SEGMENTS_STORE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "redis/ngx_redis.h"
#include "contract/sg_names.h"
#include "contract/sg_secret.h"
#include "record/ngx_redis_ttl.h"


typedef struct {
    ngx_redis_t                  *redis;
    ngx_str_t                     prefix;       /* of each key in Redis */
    sg_environment_e              environment;  /* the Secret Key's */
    const sg_names_t             *names;        /* NULL: what clients say stands
                                                   in names in the clear */
    ngx_redis_options_t           options;      /* of a command for which a
                                                   client waits; a claim's
                                                   alone: replicas */
    ngx_redis_ttl_t               receipt;      /* how long the receipt of a
                                                   trip for limits is kept */
} ngx_http_segments_store_t;


#endif /* _NGX_HTTP_SEGMENTS_STORE_H_INCLUDED_ */
