
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


#include "redis/conf/ngx_redis_types.h"
#include "redis/topology/ngx_redis_channel.h"
#include "redis/topology/ngx_redis_checkup.h"
#include "redis/transport/ngx_redis_tally.h"


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

/*
 * Configuration time: values of so many bytes are stored here.  What Redis
 * sends in one value is read up to the largest that was told, and a margin;
 * anything longer is thrown away, and an error stands for it.
 */
void ngx_redis_set_value(ngx_redis_t *redis, size_t size);

/*
 * When the configuration has been read, and resolvers are set: a name that is
 * not known yet needs one.  NGX_ERROR after logging at emerg.
 */
ngx_int_t ngx_redis_check(ngx_conf_t *cf, ngx_array_t *nodes);

/* whether two nodes, however written, are seen to be one database */
ngx_uint_t ngx_redis_same(ngx_redis_t *one, ngx_redis_t *two);

void ngx_redis_script_init(ngx_redis_script_t *script);

/* the node's address as written, without user and parameters; for the log */
ngx_str_t *ngx_redis_name(ngx_redis_t *redis);

/*
 * Whether this worker's last commands found the node unusable; 0 before the
 * first.  Cheap, and without an effect.
 */
ngx_uint_t ngx_redis_unusable(ngx_redis_t *redis);

/*
 * Whether it can be used just now, found out node by node; what else is done
 * with a visitor, and what is returned, stands in ngx_redis_checkup.h.
 */
ngx_int_t ngx_redis_checkup(ngx_redis_t *redis,
    const ngx_redis_options_t *options, ngx_redis_visitor_t *visitor);

/* whether keys live in slots, which may move, some of their keys before others:
   until they are through, one script cannot use several of these */
ngx_uint_t ngx_redis_sharded(ngx_redis_t *redis);

/* whether one script may use both keys: always on a server of its own */
ngx_uint_t ngx_redis_together(ngx_redis_t *redis, ngx_str_t *one,
    ngx_str_t *other);

/*
 * Asks in the form "straight" where the server is known to be able to do all of
 * "needs", else by the script: EVALSHA, with its source before it where Redis
 * has none.  Whatever is sent again is sent as the script, too.  The first two
 * arguments of a script are a word and a token, and what it replies is an array
 * that begins with the proof, which is made of both, in one string; anything
 * else but an error is not taken for its reply.  "options" are copied.  NULL
 * when memory failed.
 */
ngx_redis_command_t *ngx_redis_ask(ngx_redis_t *redis,
    const ngx_redis_asker_t *asker, void *data, ngx_uint_t straight,
    ngx_uint_t needs, const ngx_redis_options_t *options);

/*
 * The handler will not be called; legal in every state before it was.
 * NGX_ABORT or NGX_DECLINED, as for the handler.
 */
ngx_int_t ngx_redis_cancel(ngx_redis_command_t *cmd);

/*
 * A channel of this worker alone, whose name begins with "prefix", and a
 * connection of its own, made when somebody listens.  The caller owns it.
 * "connect_timeout" is in milliseconds.  NULL when memory failed.  What else is
 * done with one stands in ngx_redis_channel.h.
 */
ngx_redis_channel_t *ngx_redis_channel_create(ngx_redis_t *redis,
    ngx_str_t *prefix, ngx_msec_t connect_timeout,
    ngx_redis_message_pt handler, void *data);

/* says what this worker may not read; for init_process */
void ngx_redis_init(ngx_array_t *nodes, ngx_log_t *log);

/* closes this worker's connections; for exit_process */
void ngx_redis_close(ngx_array_t *nodes);


#endif /* _NGX_REDIS_H_INCLUDED_ */
