
/*
 * Since when a node is silent, though something was asked of it.
 */


#include "redis/transport/ngx_redis_quiet.h"
#include "redis/transport/ngx_redis_socket.h"


static ngx_redis_command_t *ngx_redis_quiet_oldest(ngx_redis_node_t *node);


ngx_msec_t
ngx_redis_quiet_due(ngx_redis_node_t *node)
{
    ngx_msec_t            start, quiet;
    ngx_msec_int_t        left;
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_quiet_oldest(node);

    if (cmd == NULL) {
        return NGX_TIMER_INFINITE;
    }

    if (cmd == node->pipeline.wait) {
        return node->pipeline.timeout;  /* silence is what it asks for */
    }

    start = cmd->due - cmd->timeout;
    quiet = node->heard;

    if (node->spare) {
        start += cmd->timeout / 2;

    } else {
        start += cmd->timeout / 4;

        if ((ngx_msec_int_t) (node->spared - quiet) > 0) {
            quiet = node->spared;
        }
    }

    left = ngx_max((ngx_msec_int_t) (start - ngx_current_msec),
                   (ngx_msec_int_t) (quiet + NGX_REDIS_QUIET
                                     - ngx_current_msec));

    return (left > 0) ? (ngx_msec_t) left : 0;
}


ngx_int_t
ngx_redis_quiet_silent(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    if (node->spare) {

        /* that one has a time-out of its own, and may be ready soon */

        ngx_add_timer(link->stream.peer.connection->read,
                      link->connect_timeout);
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, &link->log, NGX_ETIMEDOUT,
                  "redis was silent for %M ms",
                  ngx_redis_pipeline_silence(&node->pipeline));

    ngx_redis_socket_reset(link->stream.peer.connection);

    return NGX_ERROR;
}


/* one that a request waits for, and without a reply; or the WAIT that it stands
   behind */

static ngx_redis_command_t *
ngx_redis_quiet_oldest(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    for (q = ngx_queue_head(&node->pipeline.sent);
         q != ngx_queue_sentinel(&node->pipeline.sent);
         q = ngx_queue_next(q))
    {
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->handler
            && (cmd->asker || cmd->awaited || cmd == node->pipeline.wait))
        {
            return cmd;
        }
    }

    return NULL;
}
