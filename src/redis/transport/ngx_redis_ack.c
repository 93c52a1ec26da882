
/*
 * Acknowledgements of replicas.  WAIT speaks of all that its connection has
 * written, and holds up what follows it on the connection: so one WAIT at a
 * time stands behind all the commands that need one, and those that come
 * meanwhile share the next.
 *
 * A command's reply is kept until the WAIT behind it was answered.  Where the
 * connection is lost first, the command is sent again.
 */


#include "redis/conf/ngx_redis_internal.h"


static void ngx_redis_ack_done(void *data, ngx_int_t rc,
    const redisReply *reply);


/* before writing: behind what is in the queue */

void
ngx_redis_ack_queue(ngx_redis_node_t *node)
{
    u_char       replicas[NGX_INT_T_LEN + 1], timeout[NGX_TIME_T_LEN + 1];
    const char  *words[3];

    if (node->unacked == 0 || node->wait) {
        return;
    }

    *ngx_sprintf(replicas, "%ui", node->replicas) = '\0';
    *ngx_sprintf(timeout, "%M", node->wait_timeout) = '\0';

    words[0] = "WAIT";
    words[1] = (const char *) replicas;
    words[2] = (const char *) timeout;

    node->wait = ngx_redis_send_words(node, words, 3,
                                      node->wait_timeout + node->timeout,
                                      ngx_redis_ack_done, node);
}


void
ngx_redis_ack_enter(ngx_redis_command_t *cmd)
{
    ngx_redis_node_t  *node;

    if (cmd->replicas == 0 || cmd->unacked) {
        return;
    }

    node = cmd->node;
    cmd->unacked = 1;

    node->unacked++;
    node->replicas = cmd->replicas;
    node->wait_timeout = cmd->wait_timeout;
    node->timeout = cmd->timeout;
}


void
ngx_redis_ack_leave(ngx_redis_command_t *cmd)
{
    if (cmd->unacked) {
        cmd->unacked = 0;
        cmd->node->unacked--;
    }
}


void
ngx_redis_ack_hold(ngx_redis_command_t *cmd, redisReply *reply)
{
    cmd->reply = reply;

    ngx_queue_insert_tail(&cmd->node->held, &cmd->queue);

    /* its WAIT may be on its way already, or be still to be sent */

    ngx_redis_node_wake(cmd->node);
}


/* all that is held was written before this WAIT */

static void
ngx_redis_ack_done(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_node_t *node = data;

    long long             replicas;
    redisReply           *kept;
    ngx_queue_t           held, *q;
    ngx_redis_command_t  *cmd;

    node->wait = NULL;

    if (rc != NGX_OK) {
        return;                         /* what is held has its deadlines */
    }

    /* refused: as if there were none */

    replicas = (reply->type == REDIS_REPLY_INTEGER) ? reply->integer : 0;

    ngx_queue_init(&held);

    if (!ngx_queue_empty(&node->held)) {
        ngx_queue_add(&held, &node->held);
        ngx_queue_init(&node->held);
    }

    while (!ngx_queue_empty(&held)) {
        q = ngx_queue_head(&held);
        ngx_queue_remove(q);
        ngx_queue_init(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (replicas < (long long) cmd->replicas) {
            ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&node->log), 0,
                          "%L of %ui replicas acknowledged a command",
                          (int64_t) replicas, cmd->replicas);
            rc = NGX_ABORT;

        } else {
            rc = NGX_OK;
        }

        kept = cmd->reply;
        cmd->reply = NULL;

        ngx_redis_complete(cmd, rc, kept);
        freeReplyObject(kept);
    }

    if (node->unacked) {
        ngx_redis_node_wake(node);
    }
}


void
ngx_redis_ack_cancel(ngx_redis_node_t *node)
{
    if (node->wait) {
        (void) ngx_redis_cancel(node->wait);
        node->wait = NULL;
    }
}


/* they were sent before all that waits again already */

void
ngx_redis_ack_rewind(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&node->held)) {
        q = ngx_queue_last(&node->held);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        freeReplyObject(cmd->reply);
        cmd->reply = NULL;
        ngx_redis_command_rewind(cmd);

        ngx_queue_insert_head(&node->waiting, q);
    }
}
