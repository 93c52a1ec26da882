
/*
 * Replies are positional: each belongs to the oldest command that was written
 * and not replied to, with ASKING to both in turn, and an abandoned command
 * keeps its place.  So one that cannot belong to its command, by its type, its
 * count or its proof, and one that comes to no command, mean that no reply of
 * this connection can be believed any more, whoever waits for it or has given
 * it up.  The connection is out of step and goes at once, with all that it has
 * said and not been asked for; its commands are sent again.
 *
 * Sent again, once: a command takes part in this twice, and when the connection
 * that has it for the second time is out of step, too, it is lost (NGX_ABORT).
 * That bounds what a server that never makes sense can have executed, and
 * nothing else does: a connection that merely ends is no contradiction, and
 * what it had is sent again within its deadline as often as that happens, as it
 * is redirected up to NGX_REDIS_MAP_HOPS times.  Neither is counted here, nor
 * does being here count there, and a command keeps its mark wherever it hops
 * to.  The deadline is that of the submission throughout.  A command of which
 * no byte was written to this connection has not been sent, and one that nobody
 * waits for is not sent again.
 */


#include "redis/transport/ngx_redis_pipeline.h"
#include "redis/transport/ngx_redis_call.h"


#define NGX_REDIS_BATCH           64    /* commands in one chain */
#define NGX_REDIS_SILENCE         1000  /* milliseconds, at least */


static ngx_redis_command_t *ngx_redis_pipeline_oldest(
    ngx_redis_pipeline_t *pipeline);
static void ngx_redis_pipeline_mark_again(ngx_redis_pipeline_t *pipeline,
    ngx_queue_t *queue);


void
ngx_redis_pipeline_init(ngx_redis_pipeline_t *pipeline, ngx_redis_link_t *link)
{
    ngx_queue_init(&pipeline->sent);
    ngx_queue_init(&pipeline->waiting);
    ngx_queue_init(&pipeline->held);

    pipeline->link = link;
    pipeline->home = pipeline;
}


void
ngx_redis_pipeline_end(ngx_redis_pipeline_t *pipeline)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&pipeline->waiting)) {
        q = ngx_queue_head(&pipeline->waiting);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        ngx_redis_call_free(cmd);
    }
}


void
ngx_redis_pipeline_add(ngx_redis_pipeline_t *pipeline,
    ngx_redis_command_t *cmd)
{
    ngx_queue_insert_tail(&pipeline->waiting, &cmd->queue);

    ngx_redis_link_wake(pipeline->link);
}


ngx_chain_t *
ngx_redis_pipeline_unwritten(ngx_redis_pipeline_t *pipeline)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_chain_t          *cl, **ll;
    ngx_redis_command_t  *cmd;

    ll = &cl;

    if (!ngx_queue_empty(&pipeline->sent)) {
        q = ngx_queue_last(&pipeline->sent);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->buf.pos < cmd->buf.last) {
            *ll = &cmd->link;
            ll = &cmd->link.next;
        }
    }

    q = ngx_queue_head(&pipeline->waiting);

    for (n = 0; n < NGX_REDIS_BATCH; n++) {

        if (q == ngx_queue_sentinel(&pipeline->waiting)) {
            break;
        }

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        q = ngx_queue_next(q);

        *ll = &cmd->link;
        ll = &cmd->link.next;
    }

    *ll = NULL;

    return cl;
}


void
ngx_redis_pipeline_written(ngx_redis_pipeline_t *pipeline)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&pipeline->waiting)) {
        q = ngx_queue_head(&pipeline->waiting);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->buf.pos == cmd->buf.start) {
            break;
        }

        cmd->written = 1;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&pipeline->sent, q);
    }
}


ngx_int_t
ngx_redis_pipeline_replied(ngx_redis_pipeline_t *pipeline,
    const redisReply *reply, ngx_redis_command_t **replied)
{
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_pipeline_oldest(pipeline);

    if (cmd == NULL) {
        ngx_log_error(NGX_LOG_ERR, &pipeline->link->log, 0,
                      "redis sent a reply to no command");
        return NGX_ERROR;
    }

    if (!ngx_redis_command_answered(cmd, reply)) {
        ngx_log_error(NGX_LOG_ERR, &pipeline->link->log, 0,
                      "redis sent a reply that cannot be to its command");
        return NGX_ERROR;
    }

    if (cmd->asking && !cmd->asked) {
        cmd->asked = 1;
        return NGX_AGAIN;
    }

    ngx_queue_remove(&cmd->queue);

    *replied = cmd;

    return NGX_OK;
}


/* the one that is to be replied to; ASKING is while its command is still on its
   way */

static ngx_redis_command_t *
ngx_redis_pipeline_oldest(ngx_redis_pipeline_t *pipeline)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    if (ngx_queue_empty(&pipeline->sent)) {
        return NULL;
    }

    q = ngx_queue_head(&pipeline->sent);
    cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

    if (cmd->asking && !cmd->asked) {
        return cmd;
    }

    return (cmd->buf.pos < cmd->buf.last) ? NULL : cmd;
}


ngx_uint_t
ngx_redis_pipeline_swift(ngx_redis_pipeline_t *pipeline)
{
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_pipeline_oldest(pipeline);

    return cmd && !cmd->asking && !cmd->unacked
           && (cmd->expect == ngx_redis_expect_value
               || cmd->expect == ngx_redis_expect_set
               || cmd->expect == ngx_redis_expect_proof
               || cmd->expect == ngx_redis_expect_done);
}


void
ngx_redis_pipeline_out_of_step(ngx_redis_pipeline_t *pipeline)
{
    ngx_redis_pipeline_mark_again(pipeline, &pipeline->sent);
    ngx_redis_pipeline_mark_again(pipeline, &pipeline->held);
}


static void
ngx_redis_pipeline_mark_again(ngx_redis_pipeline_t *pipeline,
    ngx_queue_t *queue)
{
    ngx_queue_t          *q, *next;
    ngx_redis_command_t  *cmd;

    for (q = ngx_queue_head(queue); q != ngx_queue_sentinel(queue); q = next) {
        next = ngx_queue_next(q);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->handler == NULL) {
            continue;
        }

        if (!cmd->again) {
            cmd->again = 1;
            continue;
        }

        /*
         * Its handler is called soon, never while a reply is being read; the
         * node may be gone by then, the home is not.
         */

        ngx_queue_remove(q);
        ngx_queue_init(q);

        ngx_redis_call_move(cmd, pipeline->home);
        ngx_redis_command_rewind(cmd);

        cmd->lost = 1;

        /* with those that are refused: among others of its length each would
           look for its place behind all that were lost before it */

        ngx_segments_timer_add(&cmd->deadline, 0, 0);
    }
}


void
ngx_redis_pipeline_rewind(ngx_redis_pipeline_t *pipeline)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&pipeline->sent)) {
        q = ngx_queue_last(&pipeline->sent);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->handler == NULL) {
            ngx_redis_call_free(cmd);
            continue;
        }

        ngx_redis_command_rewind(cmd);

        ngx_queue_insert_head(&pipeline->waiting, q);
    }
}


ngx_msec_t
ngx_redis_pipeline_silence(ngx_redis_pipeline_t *pipeline)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    q = ngx_queue_head(&pipeline->sent);
    cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

    return ngx_max(4 * cmd->timeout, NGX_REDIS_SILENCE);
}


void
ngx_redis_pipeline_await(ngx_redis_pipeline_t *pipeline)
{
    ngx_event_t  *rev;

    rev = pipeline->link->stream.peer.connection->read;

    /*
     * While nothing is awaited a timer that passes is disregarded: that costs
     * less than to take it out, and it may do for what is written next
     */

    rev->cancelable = ngx_queue_empty(&pipeline->sent);

    if (!rev->cancelable) {

        /* ngx_add_timer() may keep a timer that is earlier by so much */
        ngx_add_timer(rev, ngx_redis_pipeline_silence(pipeline)
                           + NGX_TIMER_LAZY_DELAY);
    }
}
