
/*
 * A command for which somebody waits, until it was answered, its time is over,
 * or nobody waits for it any more.
 */


#include "redis/transport/ngx_redis_call.h"


/* what a deadline that has passed is mostly given once more, milliseconds */
#define NGX_REDIS_CALL_LATE  1


static void ngx_redis_call_handler(void *data);
static ngx_uint_t ngx_redis_call_postpone(ngx_redis_command_t *cmd);
static void ngx_redis_call_settle(ngx_redis_command_t *cmd);
static void ngx_redis_call_unacked(ngx_redis_command_t *cmd);


void
ngx_redis_call(ngx_redis_command_t *cmd, ngx_msec_t timeout,
    ngx_redis_handler_pt handler, void *data)
{
    cmd->handler = handler;
    cmd->data = data;
    cmd->timeout = timeout;
    cmd->due = ngx_current_msec + timeout;

    cmd->deadline.handler = ngx_redis_call_handler;
    cmd->deadline.data = cmd;

    /* not cancelable: a worker that shuts down waits for the command */
    ngx_segments_timer_add(&cmd->deadline, timeout, timeout);

    cmd->pipeline->link->live++;
    ngx_redis_link_live(cmd->pipeline->link);
}


ngx_redis_command_t *
ngx_redis_call_words(ngx_redis_pipeline_t *pipeline, const char **words,
    ngx_uint_t n, ngx_msec_t timeout, ngx_redis_handler_pt handler,
    void *data)
{
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_command_words(&pipeline->link->log, words, n);
    if (cmd == NULL) {
        return NULL;
    }

    cmd->pipeline = pipeline;

    ngx_redis_call(cmd, timeout, handler, data);

    ngx_queue_insert_tail(&pipeline->waiting, &cmd->queue);
    ngx_redis_link_wake(pipeline->link);

    return cmd;
}


void
ngx_redis_call_move(ngx_redis_command_t *cmd, ngx_redis_pipeline_t *pipeline)
{
    if (cmd->pipeline == pipeline) {
        return;
    }

    ngx_redis_call_unacked(cmd);
    ngx_redis_call_part(cmd);

    cmd->pipeline->link->live--;
    ngx_redis_link_live(cmd->pipeline->link);

    cmd->pipeline = pipeline;
    cmd->loaded = 0;
    cmd->log = &pipeline->link->log;

    pipeline->link->live++;
    ngx_redis_link_live(pipeline->link);
}


static void
ngx_redis_call_handler(void *data)
{
    ngx_redis_command_t *cmd = data;

    void                  *waiting;
    ngx_int_t              rc;
    ngx_redis_handler_pt   handler;

    if (!cmd->refused && !cmd->lost && ngx_redis_call_postpone(cmd)) {
        return;
    }

    handler = cmd->handler;
    waiting = cmd->data;

    if (!cmd->refused && !cmd->lost && !cmd->aside) {
        cmd->pipeline->late(cmd->pipeline);
    }

    rc = ngx_redis_call_cancel(cmd);

    handler(waiting, rc, NULL);
}


/*
 * The reply may be here already, its event behind hundreds of others: it is
 * read before the command is given up.  Where the worker itself was late, the
 * command may have been written late, too, and Redis gets some time.
 */

static ngx_uint_t
ngx_redis_call_postpone(ngx_redis_command_t *cmd)
{
    if (cmd->overdue) {
        return 0;
    }

    cmd->overdue = 1;

    ngx_redis_stream_catch_up(&cmd->pipeline->link->stream);

    /* in a queue of such: where Redis is silent, all that is late comes at
       once, and behind each other */

    ngx_segments_timer_add(&cmd->deadline, NGX_REDIS_CALL_LATE,
                           ngx_redis_grace(cmd->due, cmd->timeout));

    return 1;
}


ngx_int_t
ngx_redis_call_cancel(ngx_redis_command_t *cmd)
{
    ngx_int_t  rc;

    rc = cmd->written ? NGX_ABORT : NGX_DECLINED;

    ngx_redis_call_settle(cmd);

    if (cmd->buf.pos == cmd->buf.start || cmd->reply) {
        ngx_queue_remove(&cmd->queue);
        ngx_redis_call_free(cmd);
    }

    /* else Redis replies to it: the slot stays in the pipeline */

    return rc;
}


void
ngx_redis_call_complete(ngx_redis_command_t *cmd, ngx_int_t rc,
    const redisReply *reply)
{
    void                  *data;
    ngx_redis_handler_pt   handler;

    handler = cmd->handler;
    data = cmd->data;

    if (handler) {

        if (!cmd->aside) {
            ngx_redis_breaker_answered(cmd->pipeline->breaker);
        }

        ngx_redis_call_settle(cmd);
    }

    ngx_redis_call_free(cmd);

    if (handler) {
        handler(data, rc, reply);
    }
}


void
ngx_redis_call_answer(ngx_redis_command_t *cmd, ngx_uint_t form,
    const redisReply *reply)
{
    void                  *data;
    ngx_redis_handler_pt   handler;

    if (cmd->asker->next(cmd->data, form, reply) != form) {
        return;
    }

    handler = cmd->handler;
    data = cmd->data;

    ngx_redis_breaker_answered(cmd->pipeline->breaker);

    (void) ngx_redis_call_cancel(cmd);

    handler(data, NGX_OK, reply);
}


static void
ngx_redis_call_settle(ngx_redis_command_t *cmd)
{
    cmd->handler = NULL;

    ngx_redis_call_unacked(cmd);
    ngx_redis_call_part(cmd);

    ngx_segments_timer_del(&cmd->deadline);

    cmd->pipeline->link->live--;
    ngx_redis_link_live(cmd->pipeline->link);
}


/* no acknowledgement is needed here any more */

static void
ngx_redis_call_unacked(ngx_redis_command_t *cmd)
{
    if (cmd->unacked) {
        cmd->unacked = 0;
        cmd->pipeline->unacked--;
    }
}


void
ngx_redis_call_part(ngx_redis_command_t *cmd)
{
    ngx_redis_link_t     *late;
    ngx_redis_command_t  *twin;

    twin = cmd->twin;

    if (twin == NULL) {
        return;
    }

    cmd->twin = NULL;
    twin->twin = NULL;

    late = cmd->place ? cmd->pipeline->link : twin->pipeline->link;

    late->live--;
    ngx_redis_link_live(late);

    if (late->live == 0) {
        ngx_redis_link_wake(late);
    }
}


void
ngx_redis_call_free(ngx_redis_command_t *cmd)
{
    ngx_redis_call_part(cmd);
    ngx_redis_command_free(cmd);
}
