
/*
 * A node: a link that takes commands.
 */


#include "redis/transport/ngx_redis_node.h"
#include "redis/transport/ngx_redis_ack.h"
#include "redis/transport/ngx_redis_again.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/transport/ngx_redis_events.h"
#include "redis/transport/ngx_redis_info.h"
#include "redis/transport/ngx_redis_quiet.h"
#include "redis/transport/ngx_redis_spare.h"


static void ngx_redis_node_late(ngx_redis_pipeline_t *pipeline);
static void ngx_redis_node_probe(ngx_event_t *ev);
static void ngx_redis_node_probed(void *data, ngx_int_t rc,
    const redisReply *reply);
static ngx_uint_t ngx_redis_node_wanted(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_node_work(ngx_redis_link_t *link);
static void ngx_redis_node_ready(ngx_redis_link_t *link);
static void ngx_redis_node_prepare(ngx_redis_link_t *link);
static ngx_chain_t *ngx_redis_node_unwritten(ngx_redis_link_t *link);
static void ngx_redis_node_written(ngx_redis_link_t *link);
static void ngx_redis_node_heard(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_node_reply(ngx_redis_link_t *link,
    redisReply *reply);
static ngx_uint_t ngx_redis_node_swift(ngx_redis_link_t *link);
static void ngx_redis_node_nonsense(ngx_redis_link_t *link);
static void ngx_redis_node_await(ngx_redis_link_t *link);
static ngx_uint_t ngx_redis_node_hung_up(ngx_redis_link_t *link);
static void ngx_redis_node_closing(ngx_redis_link_t *link);
static void ngx_redis_node_lost(ngx_redis_link_t *link, ngx_uint_t ready);
static ngx_int_t ngx_redis_node_failed(ngx_redis_link_t *link);
static void ngx_redis_node_unreachable(ngx_redis_link_t *link);


static const ngx_redis_link_hooks_t  ngx_redis_node_hooks = {
    .wanted = ngx_redis_node_wanted,
    .work = ngx_redis_node_work,
    .ready = ngx_redis_node_ready,
    .prepare = ngx_redis_node_prepare,
    .unwritten = ngx_redis_node_unwritten,
    .written = ngx_redis_node_written,
    .heard = ngx_redis_node_heard,
    .reply = ngx_redis_node_reply,
    .swift = ngx_redis_node_swift,
    .nonsense = ngx_redis_node_nonsense,
    .await = ngx_redis_node_await,
    .silent = ngx_redis_quiet_silent,
    .hung_up = ngx_redis_node_hung_up,
    .closing = ngx_redis_node_closing,
    .lost = ngx_redis_node_lost,
    .failed = ngx_redis_node_failed,
    .not_reached = ngx_redis_node_unreachable
};


ngx_redis_node_t *
ngx_redis_node_create(ngx_redis_t *redis, const ngx_redis_node_hooks_t *hooks,
    ngx_redis_host_t *hosts, ngx_uint_t nhosts, ngx_redis_greeting_t *greeting)
{
    ngx_redis_node_t  *node;

    node = ngx_calloc(sizeof(ngx_redis_node_t), ngx_cycle->log);
    if (node == NULL) {
        return NULL;
    }

    node->hooks = hooks;

    ngx_queue_init(&node->siblings);

    ngx_redis_link_init(&node->link, redis, &ngx_redis_node_hooks, hosts,
                        nhosts, greeting);

    ngx_redis_pipeline_init(&node->pipeline, &node->link);

    node->pipeline.breaker = &node->breaker;
    node->pipeline.late = ngx_redis_node_late;

    ngx_redis_breaker_init(&node->breaker, ngx_redis_node_probe, node,
                           &node->link.log);
    ngx_redis_spare_init(node);

    return node;
}


void
ngx_redis_node_destroy(ngx_redis_node_t *node)
{
    ngx_redis_node_close(node);
    ngx_redis_link_end(&node->link);
    ngx_redis_pipeline_end(&node->pipeline);

    ngx_free(node);
}


void
ngx_redis_node_close(ngx_redis_node_t *node)
{
    if (node->probe) {
        (void) ngx_redis_call_cancel(node->probe);
        node->probe = NULL;
    }

    ngx_redis_breaker_end(&node->breaker);
    ngx_redis_link_close(&node->link);
}


static void
ngx_redis_node_late(ngx_redis_pipeline_t *pipeline)
{
    ngx_redis_node_t  *node;

    node = ngx_redis_node_of(pipeline);

    if (ngx_redis_breaker_failed(&node->breaker)) {
        ngx_redis_link_wake(&node->link);
    }

    node->hooks->trouble(node);
}


static void
ngx_redis_node_probe(ngx_event_t *ev)
{
    ngx_redis_node_t *node = ev->data;

    ngx_redis_breaker_t  *breaker;

    static const char    *ping[] = { "PING" };

    breaker = &node->breaker;

    if (ngx_exiting) {
        return;
    }

    if (node->probe == NULL && node->link.state == ngx_redis_link_ready) {
        node->probe = ngx_redis_call_words(&node->pipeline, ping, 1,
                                           breaker->timeout,
                                           ngx_redis_node_probed, node);
    }

    ngx_add_timer(ev, breaker->retry);
}


/* whoever has called has told the breaker */

static void
ngx_redis_node_probed(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_node_t *node = data;

    node->probe = NULL;
}


/*
 * A connection that fails is made again at once.  While the breaker is open no
 * command waits, and the connection is what is waited for.
 */

static ngx_uint_t
ngx_redis_node_wanted(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    return !ngx_queue_empty(&node->pipeline.waiting) || node->breaker.open;
}


static ngx_int_t
ngx_redis_node_work(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    if (!node->retired) {
        return NGX_OK;
    }

    node->hooks->retired(node);

    return NGX_DONE;
}


static void
ngx_redis_node_ready(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    /* one that hangs up on commands has to answer the breaker's own, first */

    if (!link->vain) {
        ngx_redis_breaker_answered(&node->breaker);
    }

    ngx_redis_info_forget(node);
    ngx_redis_info_ask(node);

    ngx_redis_link_wake(link);
}


static void
ngx_redis_node_prepare(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    ngx_redis_ack_queue(&node->pipeline);
}


static ngx_chain_t *
ngx_redis_node_unwritten(ngx_redis_link_t *link)
{
    return ngx_redis_pipeline_unwritten(&((ngx_redis_node_t *) link)->pipeline);
}


static void
ngx_redis_node_written(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    ngx_redis_pipeline_written(&node->pipeline);
    ngx_redis_spare_watch(node);
}


static void
ngx_redis_node_heard(ngx_redis_link_t *link)
{
    ngx_redis_spare_heard((ngx_redis_node_t *) link);
}


static ngx_int_t
ngx_redis_node_reply(ngx_redis_link_t *link, redisReply *reply)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    ngx_int_t             rc;
    ngx_redis_command_t  *cmd;

    rc = ngx_redis_pipeline_replied(&node->pipeline, reply, &cmd);

    if (rc == NGX_AGAIN) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        ngx_redis_node_nonsense(link);
        return NGX_ERROR;
    }

    if (!cmd->aside) {
        ngx_redis_link_answered(link);
    }

    if (reply->type != REDIS_REPLY_ERROR && (cmd->asker || cmd->awaited)) {
        node->answered = ngx_current_msec;
        node->well = 1;
        node->ill = 0;
    }

    if (node->hooks->reply(cmd, reply) == NGX_OK) {
        return NGX_OK;
    }

    if (ngx_redis_again(node, cmd, reply) == NGX_OK) {
        return NGX_OK;
    }

    if (cmd->unacked && reply->type != REDIS_REPLY_ERROR) {
        ngx_redis_ack_hold(cmd, reply);
        return NGX_DONE;
    }

    ngx_redis_call_complete(cmd, NGX_OK, reply);

    return NGX_OK;
}


static ngx_uint_t
ngx_redis_node_swift(ngx_redis_link_t *link)
{
    return ngx_redis_pipeline_swift(&((ngx_redis_node_t *) link)->pipeline);
}


static void
ngx_redis_node_nonsense(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    ngx_redis_info_hung_up(node);
    ngx_redis_pipeline_out_of_step(&node->pipeline);
}


static void
ngx_redis_node_await(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    ngx_redis_pipeline_await(&node->pipeline);
}


static ngx_uint_t
ngx_redis_node_hung_up(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    ngx_redis_info_hung_up(node);
    ngx_redis_ack_hung_up(&node->pipeline);
    ngx_redis_again_hung_up(node);

    return !ngx_queue_empty(&node->pipeline.sent);
}


static void
ngx_redis_node_closing(ngx_redis_link_t *link)
{
    ngx_redis_spare_close((ngx_redis_node_t *) link);
}


static void
ngx_redis_node_lost(ngx_redis_link_t *link, ngx_uint_t ready)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    node->hooks->lost(node);

    ngx_redis_info_cancel(node);
    ngx_redis_ack_cancel(&node->pipeline);
    ngx_redis_pipeline_rewind(&node->pipeline);
    ngx_redis_ack_rewind(&node->pipeline);
    ngx_redis_info_forget(node);

    if (ngx_redis_link_wanted(link)) {
        ngx_redis_link_wake(link);
    }
}


static ngx_int_t
ngx_redis_node_failed(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    node->hooks->trouble(node);

    return NGX_OK;
}


static void
ngx_redis_node_unreachable(ngx_redis_link_t *link)
{
    ngx_redis_node_t *node = (ngx_redis_node_t *) link;

    if (ngx_redis_breaker_failed(&node->breaker)) {
        ngx_redis_link_wake(link);
    }
}
