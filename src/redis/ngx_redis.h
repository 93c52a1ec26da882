
/*
 * A Redis client on nginx events: one pipelined connection per worker and
 * node.  It knows no http.
 *
 * A command's life: submitted -> sent -> answered, timed out or cancelled.
 * Submitting never calls the handler; afterwards it is called exactly once,
 * unless the command is cancelled first.  A command that was sent and then
 * timed out or was cancelled keeps its slot in the pipeline; its reply is
 * read and dropped.
 */

#ifndef _NGX_REDIS_H_INCLUDED_
#define _NGX_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <hiredis/hiredis.h>


typedef struct ngx_redis_s          ngx_redis_t;
typedef struct ngx_redis_command_s  ngx_redis_command_t;


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
} ngx_redis_limits_t;


/*
 * rc is NGX_OK with a reply, which lives until the handler returns.  Without
 * one, none came in time: NGX_ABORT when Redis may have run the command, or
 * may yet, NGX_DECLINED when no byte of it was ever written.
 */
typedef void (*ngx_redis_handler_pt)(void *data, ngx_int_t rc,
    const redisReply *reply);


/*
 * Configuration time.  "args" are the words of the directive: the URL, then
 * name=value parameters.  The same words give the same node.  Returns NULL
 * after logging what is wrong with them at emerg.  Nodes live in cf->cycle's
 * pool and are registered with the cycle by "nodes", an array of
 * ngx_redis_t * that the caller keeps in its main configuration.
 */
ngx_redis_t *ngx_redis_add(ngx_conf_t *cf, ngx_array_t *nodes,
    ngx_str_t *args, ngx_uint_t nargs);

/*
 * Names are resolved again by "resolver" when a connection is made; without
 * it, or while it fails, the addresses known so far serve.  The first call
 * decides.
 */
void ngx_redis_set_resolver(ngx_redis_t *redis, ngx_resolver_t *resolver,
    ngx_msec_t timeout);

/* whether two nodes, however written, are seen to be one database */
ngx_uint_t ngx_redis_same(ngx_redis_t *one, ngx_redis_t *two);

void ngx_redis_script_init(ngx_redis_script_t *script);

/* the node's address as written, without user and parameters; for the log */
ngx_str_t *ngx_redis_name(ngx_redis_t *redis);

/*
 * Sends EVALSHA, and EVAL where Redis does not know the script.  "argv" holds
 * nkeys keys and then the arguments; it is copied, the bytes it points to are
 * not: they stay valid until the handler was called or the command cancelled.
 * "limits" are copied.  NULL when memory failed.
 */
ngx_redis_command_t *ngx_redis_eval(ngx_redis_t *redis,
    ngx_redis_script_t *script, ngx_uint_t nkeys, ngx_str_t *argv,
    ngx_uint_t argc, const ngx_redis_limits_t *limits,
    ngx_redis_handler_pt handler, void *data);

/*
 * The handler will not be called; legal in every state before it was.
 * NGX_ABORT or NGX_DECLINED, as for the handler.
 */
ngx_int_t ngx_redis_cancel(ngx_redis_command_t *cmd);

/* closes this worker's connections; for exit_process */
void ngx_redis_close(ngx_array_t *nodes);


#endif /* _NGX_REDIS_H_INCLUDED_ */
