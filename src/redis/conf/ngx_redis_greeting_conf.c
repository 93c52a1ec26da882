
/*
 * The steps of a greeting, as the configuration asks for them.
 */


#include "redis/conf/ngx_redis_greeting_conf.h"
#include "redis/conf/ngx_redis_conf.h"


static void ngx_redis_greeting_add(ngx_redis_greeting_t *greeting,
    ngx_redis_greet_e step);


void
ngx_redis_greeting_init(ngx_redis_t *redis)
{
    ngx_redis_greeting_t  *greeting, *guide;

    greeting = &redis->greeting;
    guide = &redis->guide_greeting;

    if (redis->password.path.len) {
        ngx_redis_greeting_add(greeting, ngx_redis_greet_auth);

        /* sentinels have a password of their own, the same one, or none */

        ngx_redis_greeting_add(guide, redis->topology == ngx_redis_sentinel
                                      ? ngx_redis_greet_auth_if_asked
                                      : ngx_redis_greet_auth);
    }

    if (redis->db) {
        ngx_redis_greeting_add(greeting, ngx_redis_greet_select);
    }

    /* a server that hangs or is still loading does not answer PONG */

    ngx_redis_greeting_add(greeting, redis->topology == ngx_redis_sentinel
                                     ? ngx_redis_greet_role
                                     : ngx_redis_greet_ping);

    ngx_redis_greeting_add(guide, ngx_redis_greet_ping);
}


void
ngx_redis_greeting_subscribe(ngx_redis_greeting_t *to,
    ngx_redis_greeting_t *greeting)
{
    *to = *greeting;

    ngx_redis_greeting_add(to, ngx_redis_greet_subscribe);
}


static void
ngx_redis_greeting_add(ngx_redis_greeting_t *greeting, ngx_redis_greet_e step)
{
    greeting->steps[greeting->nsteps++] = step;
}
