
/*
 * What a connection begins with.
 */

#ifndef _NGX_REDIS_GREETING_H_INCLUDED_
#define _NGX_REDIS_GREETING_H_INCLUDED_


#include "redis/conf/ngx_redis_conf.h"


/* of one connection after the other */
typedef struct {
    ngx_redis_t             *redis;
    ngx_redis_greeting_t    *greeting;  /* what it says */
    ngx_str_t               *channel;   /* to which it subscribes, or NULL */
    ngx_log_t               *log;
    ngx_uint_t               greeted;   /* replies that came */
    ngx_buf_t                buf;       /* what is left to be written of it;
                                           with a start it is ours */
    ngx_chain_t              link;
    ngx_uint_t               password;  /* changes of it, as used last */
    unsigned                 former:1;  /* the password before is used */
    unsigned                 other:1;   /* the other one was refused */
    unsigned                 again:1;   /* to be connected to at once */
} ngx_redis_greeter_t;


void ngx_redis_greeter_init(ngx_redis_greeter_t *greeter, ngx_redis_t *redis,
    ngx_redis_greeting_t *greeting, ngx_log_t *log);

/* with the password of this moment: what is to be written is in greeter->buf
   until the end, which overwrites it */
ngx_int_t ngx_redis_greeting_start(ngx_redis_greeter_t *greeter);
void ngx_redis_greeting_end(ngx_redis_greeter_t *greeter);

/* the command that is waited for */
ngx_str_t *ngx_redis_greeting_step(ngx_redis_greeter_t *greeter);

/* NGX_DONE: it was the last one; NGX_DECLINED: SUBSCRIBE was refused;
   NGX_ERROR: anything else, and both were logged */
ngx_int_t ngx_redis_greeting_reply(ngx_redis_greeter_t *greeter,
    const redisReply *reply);


#endif /* _NGX_REDIS_GREETING_H_INCLUDED_ */
