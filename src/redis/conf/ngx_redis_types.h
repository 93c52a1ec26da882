
/*
 * What the client's callers and its inside both know.
 */

#ifndef _NGX_REDIS_TYPES_H_INCLUDED_
#define _NGX_REDIS_TYPES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <hiredis/hiredis.h>


typedef struct ngx_redis_s          ngx_redis_t;
typedef struct ngx_redis_command_s  ngx_redis_command_t;
typedef struct ngx_redis_channel_s  ngx_redis_channel_t;
typedef struct ngx_redis_checkup_s  ngx_redis_checkup_t;


typedef struct {
    const char   *name;                 /* for the log */
    const char   *source;               /* Lua text, terminated */
    u_char        sha1[40];             /* of source, lower-case hex; filled by
                                           ngx_redis_script_init() */
} ngx_redis_script_t;


/* of a command; times are in milliseconds */
typedef struct {
    ngx_msec_t    connect_timeout;      /* connecting, TLS and AUTH together */
    ngx_msec_t    timeout;              /* from submission, connecting and
                                           sending again included */
    ngx_uint_t    failures;             /* in a row, after which the breaker
                                           refuses; 0: it lets pass */
    ngx_msec_t    retry;                /* between probes while it is open */
    ngx_uint_t    replicas;             /* that have to acknowledge the
                                           command; 0: none */
    ngx_msec_t    wait_timeout;         /* for them, once Redis was asked */
} ngx_redis_options_t;


/*
 * rc is NGX_OK with a reply, which lives until the handler returns.  Without
 * one, none came in time: NGX_ABORT when Redis may have run the command, or
 * may yet, NGX_DECLINED when no byte of it was ever written.  NGX_ABORT with a
 * reply: Redis ran it, and too few replicas acknowledged that.
 */
typedef void (*ngx_redis_handler_pt)(void *data, ngx_int_t rc,
    const redisReply *reply);


/*
 * A message, valid until the handler returns; NULL when the channel has been
 * subscribed, and what was published before went unheard, or is not any more.
 */
typedef void (*ngx_redis_message_pt)(void *data, const ngx_str_t *message);


#endif /* _NGX_REDIS_TYPES_H_INCLUDED_ */
