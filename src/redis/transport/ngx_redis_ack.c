
/*
 * Acknowledgements of replicas.  WAIT speaks of all that its connection has
 * written, and holds up what follows it on the connection: so one WAIT at a
 * time stands behind all the commands that need one, and those that come
 * meanwhile share the next.
 *
 * A command's reply is kept until the WAIT behind it was answered.  Where the
 * connection is lost first, the command is sent again.
 */


#include "redis/transport/ngx_redis_ack.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/transport/ngx_redis_tally.h"
#include "redis/reply/ngx_redis_parse.h"


static void ngx_redis_ack_done(void *data, ngx_int_t rc,
    const redisReply *reply);
static void ngx_redis_ack_missing(ngx_redis_command_t *cmd,
    const redisReply *reply);


/* before writing: behind what is in the queue */

void
ngx_redis_ack_queue(ngx_redis_pipeline_t *pipeline)
{
    u_char       replicas[NGX_INT_T_LEN + 1], timeout[NGX_TIME_T_LEN + 1];
    const char  *words[3];

    if (pipeline->unacked == 0 || pipeline->wait) {
        return;
    }

    *ngx_sprintf(replicas, "%ui", pipeline->replicas) = '\0';
    *ngx_sprintf(timeout, "%M", pipeline->wait_timeout) = '\0';

    words[0] = "WAIT";
    words[1] = (const char *) replicas;
    words[2] = (const char *) timeout;

    pipeline->wait = ngx_redis_call_words(pipeline, words, 3,
                                          pipeline->wait_timeout
                                          + pipeline->timeout,
                                          ngx_redis_ack_done, pipeline);
}


void
ngx_redis_ack_enter(ngx_redis_command_t *cmd)
{
    ngx_redis_pipeline_t  *pipeline;

    if (cmd->replicas == 0 || cmd->unacked) {
        return;
    }

    pipeline = cmd->pipeline;
    cmd->unacked = 1;

    pipeline->unacked++;
    pipeline->replicas = cmd->replicas;
    pipeline->wait_timeout = cmd->wait_timeout;
    pipeline->timeout = cmd->timeout;
}


void
ngx_redis_ack_hold(ngx_redis_command_t *cmd, redisReply *reply)
{
    cmd->reply = reply;

    ngx_queue_insert_tail(&cmd->pipeline->held, &cmd->queue);

    /* its WAIT may be on its way already, or be still to be sent */

    ngx_redis_link_wake(cmd->pipeline->link);
}


/* all that is held was written before this WAIT */

static void
ngx_redis_ack_done(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_pipeline_t *pipeline = data;

    long long             replicas;
    redisReply           *kept;
    ngx_queue_t           held, *q;
    ngx_redis_command_t  *cmd;

    pipeline->wait = NULL;

    if (rc != NGX_OK) {
        return;                         /* what is held has its deadlines */
    }

    /* refused: as if there were none */

    replicas = (reply->type == REDIS_REPLY_INTEGER) ? reply->integer : 0;

    ngx_queue_init(&held);

    if (!ngx_queue_empty(&pipeline->held)) {
        ngx_queue_add(&held, &pipeline->held);
        ngx_queue_init(&pipeline->held);
    }

    while (!ngx_queue_empty(&held)) {
        q = ngx_queue_head(&held);
        ngx_queue_remove(q);
        ngx_queue_init(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (replicas < (long long) cmd->replicas) {
            ngx_redis_ack_missing(cmd, reply);
            rc = NGX_ABORT;

        } else {
            rc = NGX_OK;
        }

        kept = cmd->reply;
        cmd->reply = NULL;

        ngx_redis_call_complete(cmd, rc, kept);
        freeReplyObject(kept);
    }

    if (pipeline->unacked) {
        ngx_redis_link_wake(pipeline->link);
    }
}


static void
ngx_redis_ack_missing(ngx_redis_command_t *cmd, const redisReply *reply)
{
    ngx_log_t  *log;

    log = ngx_redis_link_tally(cmd->pipeline->link);

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "redis refused WAIT with \"%*s\"",
                      ngx_redis_parse_code(reply), reply->str);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "%L of %ui replicas acknowledged a command",
                  (int64_t) reply->integer, cmd->replicas);
}


void
ngx_redis_ack_hung_up(ngx_redis_pipeline_t *pipeline)
{
    if (pipeline->wait && pipeline->wait->written) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_redis_link_tally(pipeline->link), 0,
                      "redis was asked to WAIT when it closed the connection, "
                      "as a proxy does that does not know it");
    }
}


void
ngx_redis_ack_cancel(ngx_redis_pipeline_t *pipeline)
{
    if (pipeline->wait) {
        (void) ngx_redis_call_cancel(pipeline->wait);
        pipeline->wait = NULL;
    }
}


/* they were sent before all that waits again already */

void
ngx_redis_ack_rewind(ngx_redis_pipeline_t *pipeline)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&pipeline->held)) {
        q = ngx_queue_last(&pipeline->held);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        freeReplyObject(cmd->reply);
        cmd->reply = NULL;
        ngx_redis_command_rewind(cmd);

        ngx_queue_insert_head(&pipeline->waiting, q);
    }
}
