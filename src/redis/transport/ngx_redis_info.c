
/*
 * What else there is to know of a server.  Nothing depends on it, and there are
 * proxies that hang up when they are asked: so INFO is no part of the greeting,
 * which a proxy like that would never come through, but the first that goes out
 * behind it, while nothing else is on the connection: later, a busy one would
 * never be asked.  What stands behind it waits for nothing, and is sent again
 * where the other side hangs up.  Where it is refused it does not go out again.
 */


#include "redis/transport/ngx_redis_info.h"
#include "redis/transport/ngx_redis_call.h"


/* that many connections in a row without an answer in time are a refusal */
#define NGX_REDIS_INFO_UNHEARD    2


static void ngx_redis_info_done(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_info_version(ngx_redis_node_t *node,
    const redisReply *reply);
static void ngx_redis_info_policy(ngx_redis_node_t *node,
    const redisReply *reply);
static void ngx_redis_info_refused(ngx_redis_node_t *node);


void
ngx_redis_info_forget(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    node->can = 0;
    node->cannot = 0;

    for (q = ngx_queue_head(&node->pipeline.waiting);
         q != ngx_queue_sentinel(&node->pipeline.waiting);
         q = ngx_queue_next(q))
    {
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        (void) ngx_redis_command_form(cmd, NGX_REDIS_SCRIPT);
    }
}


void
ngx_redis_info_ask(ngx_redis_node_t *node)
{
    ngx_redis_command_t  *cmd;

    static const char    *info[] = { "INFO" };

    /* who is only asked the way holds no records */

    if (node->discreet
        || node->link.greeter.greeting != &node->link.redis->greeting)
    {
        return;
    }

    cmd = ngx_redis_call_words(&node->pipeline, info, 1,
                               node->link.redis->timeout, ngx_redis_info_done,
                               node);
    if (cmd == NULL) {
        return;
    }

    /* who answers INFO may hang up at each command, all the same */

    cmd->aside = 1;

    /* nothing was written yet */

    ngx_queue_remove(&cmd->queue);
    ngx_queue_insert_head(&node->pipeline.waiting, &cmd->queue);

    node->info = cmd;
}


static void
ngx_redis_info_done(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_node_t *node = data;

    node->info = NULL;

    if (rc == NGX_DECLINED) {
        return;                         /* it never went out */
    }

    if (rc == NGX_ABORT && ++node->unheard < NGX_REDIS_INFO_UNHEARD) {

        /* once, that may be chance */

        ngx_log_error(NGX_LOG_NOTICE, &node->link.log, 0,
                      "redis did not answer INFO in time and is asked again "
                      "on another connection");
        return;
    }

    if (rc != NGX_OK || reply->type == REDIS_REPLY_ERROR) {
        ngx_redis_info_refused(node);
        return;
    }

    node->unheard = 0;
    node->brings = 0;                   /* no proxy, or one that knows much */

    ngx_redis_info_policy(node, reply);
    ngx_redis_info_version(node, reply);

    if (ngx_redis_facts_clustered(reply)) {
        ngx_redis_info_clustered(node);
    }
}


static void
ngx_redis_info_version(ngx_redis_node_t *node, const redisReply *reply)
{
    ngx_redis_version_t  version;

    ngx_redis_facts_version(reply, &version);

    if (version.valkey || version.redis >= ngx_redis_version(7, 0)) {
        node->can |= NGX_REDIS_SET_NX_GET;
    }

    if (version.valkey >= ngx_redis_version(8, 1)
        || (version.valkey == 0 && version.redis >= ngx_redis_version(8, 4)))
    {
        node->can |= NGX_REDIS_SET_IFEQ;
    }
}


/* once, until it is another one */

static void
ngx_redis_info_policy(ngx_redis_node_t *node, const redisReply *reply)
{
    size_t       len;
    const char  *policy;

    len = ngx_redis_facts_policy(reply, &policy);

    if (len && !node->evicts) {
        ngx_log_error(NGX_LOG_WARN, &node->link.log, 0,
                      "redis has maxmemory-policy \"%*s\" and may forget "
                      "claims and answers: it should be \"noeviction\"",
                      len, policy);
    }

    node->evicts = (len != 0);
}


void
ngx_redis_info_clustered(ngx_redis_node_t *node)
{
    ngx_redis_t  *redis;

    redis = node->link.redis;

    if (redis->topology == ngx_redis_cluster || node->clustered) {
        return;
    }

    node->clustered = 1;

    ngx_log_error(NGX_LOG_ERR, &node->link.log, 0,
                  "redis is a node of a cluster, whose other nodes are found "
                  "by a URL that begins with \"%s+cluster://\"",
                  redis->secure ? "rediss" : "redis");
}


static void
ngx_redis_info_refused(ngx_redis_node_t *node)
{
    node->discreet = 1;

    ngx_log_error(NGX_LOG_NOTICE, &node->link.log, 0,
                  "redis does not answer INFO and is not asked again: "
                  "nothing warns of a maxmemory-policy that forgets claims");
}


void
ngx_redis_info_hung_up(ngx_redis_node_t *node)
{
    if (node->info) {
        ngx_redis_info_refused(node);
    }
}


void
ngx_redis_info_cancel(ngx_redis_node_t *node)
{
    if (node->info) {
        (void) ngx_redis_call_cancel(node->info);
        node->info = NULL;
    }
}
