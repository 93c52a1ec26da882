
/*
 * What a directive says.
 */

#ifndef _NGX_REDIS_CONF_H_INCLUDED_
#define _NGX_REDIS_CONF_H_INCLUDED_


#include "redis/conf/ngx_redis_greeting_conf.h"
#include "redis/conf/ngx_redis_host.h"
#include "redis/conf/ngx_redis_password.h"
#include "redis/conf/ngx_redis_tls_conf.h"


typedef struct ngx_redis_map_s  ngx_redis_map_t;


/* how the node for a command is found */
typedef enum {
    ngx_redis_single = 0,
    ngx_redis_sentinel,
    ngx_redis_cluster
} ngx_redis_topology_e;


struct ngx_redis_s {
    ngx_str_t                words;     /* of the directive, each with NUL */
    ngx_str_t                name;      /* for the log */
    ngx_str_t                user;      /* empty: the default one */
    ngx_redis_password_t     password;
    ngx_uint_t               db;
    ngx_redis_topology_e     topology;
    ngx_str_t                master;    /* its name among sentinels */
    ngx_redis_host_t        *hosts;     /* of the URL */
    ngx_uint_t               nhosts;
    ngx_uint_t               secure;    /* unsigned  secure:1; */
#if (NGX_SSL)
    ngx_redis_tls_t         *tls;       /* NULL: in the clear */
#endif
    ngx_resolver_t          *resolver;  /* NULL: none is configured */
    ngx_msec_t               resolver_timeout;
    ngx_redis_greeting_t     greeting;
    ngx_redis_greeting_t     guide_greeting;
    size_t                   value;     /* bytes of the longest one stored */
    ngx_redis_map_t         *map;       /* this worker's, NULL until its first
                                           command */
    ngx_msec_t               timeout;   /* the newest command's */
};


#endif /* _NGX_REDIS_CONF_H_INCLUDED_ */
