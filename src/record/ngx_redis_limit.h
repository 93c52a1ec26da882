
/*
 * The limits of a create in Redis: their arithmetic is limit.lua, this is what
 * goes there.
 */

#ifndef _NGX_REDIS_LIMIT_H_INCLUDED_
#define _NGX_REDIS_LIMIT_H_INCLUDED_


#include "redis/ngx_redis.h"
#include "record/ngx_redis_verdict.h"


#define NGX_REDIS_LIMIT_ARGS   3


typedef enum {
    ngx_redis_limits_spend = 0,
    ngx_redis_limits_dry_run,                   /* spend, but never refuse */
    ngx_redis_limits_look                       /* spend nothing */
} ngx_redis_limits_how_e;


/* the strings are the caller's and live as long as the command */
typedef struct {
    ngx_str_t                   key;
    ngx_str_t                   args[NGX_REDIS_LIMIT_ARGS];
                                                /* N, P and Q of limit.lua */
} ngx_redis_limit_t;


/* those of one command, and so of one slot of a cluster */
typedef struct {
    ngx_redis_limits_how_e      how;
    ngx_uint_t                  n;
    ngx_redis_limit_t           limit[NGX_REDIS_LIMITS_MAX];
} ngx_redis_limits_t;


/* words of a command that limits need at most, their keys included */
#define NGX_REDIS_LIMITS_ARGC                                                 \
    (1 + NGX_REDIS_LIMITS_MAX * (1 + NGX_REDIS_LIMIT_ARGS))


/*
 * Makes room for the limits in the words of a script: their keys behind its own
 * one, which is the first word, and the rest at the end.  NULL: no limits.
 */
void ngx_redis_limits_add(const ngx_redis_limits_t *limits,
    ngx_redis_phrase_t *phrase);


#endif /* _NGX_REDIS_LIMIT_H_INCLUDED_ */
