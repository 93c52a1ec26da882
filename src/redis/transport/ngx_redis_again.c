
/*
 * What a reply does not settle is asked again, of the same node and within the
 * same deadline: in another form, or behind the source of its script.
 *
 * After a start, a failover or a flush hundreds of commands hear at once that
 * Redis has no such script.  The source goes there once, and the commands
 * behind it.  Where that did not help, each takes it along.
 */


#include "redis/transport/ngx_redis_again.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/transport/ngx_redis_tally.h"


static ngx_int_t ngx_redis_again_load(ngx_redis_node_t *node,
    ngx_redis_command_t *cmd);
static ngx_uint_t ngx_redis_again_loads(ngx_queue_t *queue,
    ngx_redis_script_t *script);
static void ngx_redis_again_loaded(void *data, ngx_int_t rc,
    const redisReply *reply);


ngx_int_t
ngx_redis_again(ngx_redis_node_t *node, ngx_redis_command_t *cmd,
    const redisReply *reply)
{
    ngx_uint_t  form;

    if (cmd->handler == NULL || cmd->asker == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_redis_script_missing(cmd, reply)) {
        return ngx_redis_again_load(node, cmd);
    }

    if (cmd->form != NGX_REDIS_SCRIPT
        && reply->type == REDIS_REPLY_ERROR
        && ngx_strncmp(reply->str, "ERR syntax error",
                       sizeof("ERR syntax error") - 1)
           == 0)
    {
        node->cannot |= cmd->needs;
        form = NGX_REDIS_SCRIPT;

    } else {
        form = cmd->asker->next(cmd->data, cmd->form, reply);
    }

    if (form == cmd->form
        || ngx_redis_command_form(cmd, form) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_redis_pipeline_add(&node->pipeline, cmd);

    return NGX_OK;
}


static ngx_int_t
ngx_redis_again_load(ngx_redis_node_t *node, ngx_redis_command_t *cmd)
{
    const char            *words[3];
    ngx_redis_command_t   *load;
    ngx_redis_pipeline_t  *pipeline;

    pipeline = &node->pipeline;

    if (cmd->loaded || node->brings) {

        if (ngx_redis_command_eval(cmd) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (!ngx_redis_again_loads(&pipeline->sent, cmd->script)
               && !ngx_redis_again_loads(&pipeline->waiting, cmd->script))
    {
        words[0] = "SCRIPT";
        words[1] = "LOAD";
        words[2] = cmd->script->source;

        load = ngx_redis_call_words(pipeline, words, 3, cmd->timeout,
                                    ngx_redis_again_loaded, node->link.redis);
        if (load == NULL) {
            return NGX_ERROR;
        }

        load->script = cmd->script;
    }

    cmd->loaded = 1;

    ngx_redis_command_rewind(cmd);
    ngx_redis_pipeline_add(pipeline, cmd);

    return NGX_OK;
}


/* Else the source would go out on each connection, and end it. */

void
ngx_redis_again_hung_up(ngx_redis_node_t *node)
{
    ngx_queue_t          *q, *next, *sent;
    ngx_redis_command_t  *cmd;

    sent = &node->pipeline.sent;

    for (q = ngx_queue_head(sent); q != ngx_queue_sentinel(sent); q = next) {
        next = ngx_queue_next(q);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->asker || cmd->script == NULL || cmd->handler == NULL) {
            continue;
        }

        if (!node->brings) {
            node->brings = 1;

            ngx_log_error(NGX_LOG_NOTICE, &node->link.log, 0,
                          "redis was asked for SCRIPT LOAD when it closed the "
                          "connection: each command that finds no script "
                          "brings its own");
        }

        (void) ngx_redis_call_cancel(cmd);
    }
}


static ngx_uint_t
ngx_redis_again_loads(ngx_queue_t *queue, ngx_redis_script_t *script)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    for (q = ngx_queue_head(queue);
         q != ngx_queue_sentinel(queue);
         q = ngx_queue_next(q))
    {
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->asker == NULL && cmd->script == script) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_redis_again_loaded(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_t *redis = data;

    if (rc == NGX_OK && reply->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_WARN, ngx_redis_tally(ngx_cycle->log), 0,
                      "redis node \"%V\" refuses SCRIPT LOAD, each command "
                      "that finds no script brings its own", &redis->name);
    }
}
