
/*
 * What connections begin with, as the configuration asks for it.
 */

#ifndef _NGX_REDIS_GREETING_CONF_H_INCLUDED_
#define _NGX_REDIS_GREETING_CONF_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


#define NGX_REDIS_GREETINGS       4     /* AUTH, SELECT, PING or ROLE,
                                           SUBSCRIBE */


typedef enum {
    ngx_redis_greet_auth = 0,
    ngx_redis_greet_auth_if_asked,      /* may be refused */
    ngx_redis_greet_select,
    ngx_redis_greet_ping,
    ngx_redis_greet_role,               /* has to be a master */
    ngx_redis_greet_subscribe
} ngx_redis_greet_e;


typedef struct {
    ngx_redis_greet_e        steps[NGX_REDIS_GREETINGS];
    ngx_uint_t               nsteps;
} ngx_redis_greeting_t;


/* once the URL and its parameters are known */
void ngx_redis_greeting_init(ngx_redis_t *redis);

/* "greeting" and SUBSCRIBE */
void ngx_redis_greeting_subscribe(ngx_redis_greeting_t *to,
    ngx_redis_greeting_t *greeting);


#endif /* _NGX_REDIS_GREETING_CONF_H_INCLUDED_ */
