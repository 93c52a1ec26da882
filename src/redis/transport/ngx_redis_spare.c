
/*
 * An idle connection that a NAT or a balancer has forgotten looks like one to
 * a Redis that is slow: what is written to it is swallowed.  Probes of TCP
 * (ngx_redis_socket.c) keep most of them alive.  Where one is forgotten all the
 * same, a command must not find out by its deadline.
 *
 * A connection is doubted when nothing was read from it for NGX_REDIS_QUIET,
 * and a script's command is without a reply for a quarter of its time.  Then a
 * spare connection is made, on a link of its own.
 *
 *     quarter      the spare one begins to connect, and is greeted
 *     the old one  something is read from it: it was slow, the spare one goes
 *     half         the spare one is ready, or later, when it is: they change
 *                  places; if its connect time-out ends first, it goes, and the
 *                  old one has the silence that it has without all this
 *
 * So a Redis that stands still loses nothing: its connection, and what it was
 * sent, stay.  A spare one that fails is no failure of the node; one that was
 * greeted is a sign of life.
 */


#include "redis/transport/ngx_redis_spare.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/transport/ngx_redis_connect.h"
#include "redis/transport/ngx_redis_events.h"
#include "redis/transport/ngx_redis_quiet.h"
#include "redis/transport/ngx_redis_socket.h"
#include "redis/transport/ngx_redis_switch.h"


static void ngx_redis_spare_handler(ngx_event_t *ev);
static void ngx_redis_spare_make(ngx_redis_node_t *node);
static ngx_uint_t ngx_redis_spare_wanted(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_spare_work(ngx_redis_link_t *link);
static void ngx_redis_spare_ready(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_spare_reply(ngx_redis_link_t *link,
    redisReply *reply);
static void ngx_redis_spare_await(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_spare_silent(ngx_redis_link_t *link);
static void ngx_redis_spare_lost(ngx_redis_link_t *link, ngx_uint_t ready);
static void ngx_redis_spare_closed(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_spare_failed(ngx_redis_link_t *link);
static void ngx_redis_spare_drop(ngx_redis_spare_t *spare);
static void ngx_redis_spare_switch(ngx_redis_node_t *node);


static const ngx_redis_link_hooks_t  ngx_redis_spare_hooks = {
    .wanted = ngx_redis_spare_wanted,
    .work = ngx_redis_spare_work,
    .ready = ngx_redis_spare_ready,
    .reply = ngx_redis_spare_reply,
    .await = ngx_redis_spare_await,
    .silent = ngx_redis_spare_silent,
    .lost = ngx_redis_spare_lost,
    .closed = ngx_redis_spare_closed,
    .failed = ngx_redis_spare_failed
};


void
ngx_redis_spare_init(ngx_redis_node_t *node)
{
    ngx_event_t  *doubt;

    doubt = &node->doubt;

    doubt->handler = ngx_redis_spare_handler;
    doubt->data = node;
    doubt->log = &node->link.log;
    doubt->cancelable = 1;

    node->heard = ngx_current_msec;
    node->spared = ngx_current_msec - NGX_REDIS_QUIET;
}


void
ngx_redis_spare_close(ngx_redis_node_t *node)
{
    if (node->doubt.timer_set) {
        ngx_del_timer(&node->doubt);
    }

    if (node->spare) {
        ngx_redis_spare_drop(node->spare);
    }

    if (node->late) {
        ngx_redis_spare_drop(node->late);
    }
}


void
ngx_redis_spare_heard(ngx_redis_node_t *node)
{
    node->heard = ngx_current_msec;

    if (node->spare) {
        ngx_redis_spare_drop(node->spare);
    }
}


/*
 * The timer is not moved with what is written and read: it looks when it
 * passes.
 */

void
ngx_redis_spare_watch(ngx_redis_node_t *node)
{
    ngx_msec_t  due;

    if (node->doubt.timer_set || node->link.state != ngx_redis_link_ready) {
        return;
    }

    due = ngx_redis_quiet_due(node);

    if (due != NGX_TIMER_INFINITE) {
        node->doubted = ngx_current_msec + due;
        ngx_add_timer(&node->doubt, due);
    }
}


static void
ngx_redis_spare_handler(ngx_event_t *ev)
{
    ngx_redis_node_t *node = ev->data;

    ngx_msec_t  grace;

    if (ngx_redis_quiet_due(node) != 0) {
        ngx_redis_spare_watch(node);
        return;
    }

    if (node->spare == NULL) {
        ngx_redis_stream_catch_up(&node->link.stream);

        grace = ngx_redis_grace(node->doubted, node->link.connect_timeout);

        if (grace > 1) {

            /* it may be the worker that has not read; next time it counts */

            node->doubted = ngx_current_msec + NGX_REDIS_QUIET;
            ngx_add_timer(ev, grace);
            return;
        }

        ngx_redis_spare_make(node);
        ngx_redis_spare_watch(node);
        return;
    }

    if (node->spare->link.state == ngx_redis_link_ready) {
        ngx_redis_spare_switch(node);
    }

    /* else as soon as it is */
}


static void
ngx_redis_spare_make(ngx_redis_node_t *node)
{
    ngx_redis_link_t   *link;
    ngx_redis_spare_t  *spare;

    node->spared = ngx_current_msec;

    spare = ngx_calloc(sizeof(ngx_redis_spare_t), ngx_cycle->log);
    if (spare == NULL) {
        return;
    }

    link = &spare->link;

    ngx_redis_link_init(link, node->link.redis, &ngx_redis_spare_hooks,
                        node->link.site.hosts, node->link.site.nhosts,
                        node->link.greeter.greeting);

    ngx_redis_pipeline_init(&spare->pipeline, link);

    spare->principal = node;

    link->tries = &node->link.backoff;
    link->connect_timeout = node->link.connect_timeout;
    link->site.host = node->link.site.host;
    link->site.addr = node->link.site.addr;

#if (NGX_SSL)
    link->site.session = node->link.site.session;
    node->link.site.session = NULL;
#endif

    node->spare = spare;

    ngx_redis_link_wake(link);
}


static ngx_uint_t
ngx_redis_spare_wanted(ngx_redis_link_t *link)
{
    return 0;                           /* it connects as its work asks */
}


static ngx_int_t
ngx_redis_spare_work(ngx_redis_link_t *link)
{
    ngx_redis_spare_t *spare = (ngx_redis_spare_t *) link;

    ngx_msec_t         due;
    ngx_redis_node_t  *node;

    node = spare->principal;

    if (link->leaving || (spare == node->late && link->live == 0)) {
        ngx_redis_spare_drop(spare);
        return NGX_DONE;
    }

    if (spare == node->late) {
        return NGX_DONE;
    }

    switch (link->state) {

    case ngx_redis_link_down:
        ngx_redis_connect(link);
        break;

    case ngx_redis_link_ready:

        /* where all have timed out meanwhile, the next one finds it ready */

        due = ngx_redis_quiet_due(node);

        if (due == 0 || due == NGX_TIMER_INFINITE) {
            ngx_redis_spare_switch(node);

        } else {
            ngx_redis_spare_watch(node);
        }

        break;

    default:
        break;
    }

    return NGX_DONE;
}


static void
ngx_redis_spare_ready(ngx_redis_link_t *link)
{
    ngx_redis_link_wake(link);
}


/* a late reply */

static ngx_int_t
ngx_redis_spare_reply(ngx_redis_link_t *link, redisReply *reply)
{
    ngx_redis_spare_t *spare = (ngx_redis_spare_t *) link;

    ngx_int_t             rc;
    ngx_uint_t            form;
    ngx_redis_command_t  *cmd, *place;

    rc = ngx_redis_pipeline_replied(&spare->pipeline, reply, &place);

    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? NGX_OK : NGX_ERROR;
    }

    ngx_redis_link_answered(link);

    cmd = place->twin;
    form = place->form;

    ngx_redis_call_free(place);

    if (cmd && !cmd->unacked && reply->type != REDIS_REPLY_ERROR) {
        ngx_redis_call_answer(cmd, form, reply);
    }

    return NGX_OK;
}


static void
ngx_redis_spare_await(ngx_redis_link_t *link)
{
    ngx_redis_spare_t *spare = (ngx_redis_spare_t *) link;

    ngx_redis_pipeline_await(&spare->pipeline);
}


static ngx_int_t
ngx_redis_spare_silent(ngx_redis_link_t *link)
{
    ngx_redis_socket_reset(link->stream.peer.connection);

    return NGX_ERROR;
}


static void
ngx_redis_spare_lost(ngx_redis_link_t *link, ngx_uint_t ready)
{
    ngx_redis_spare_t *spare = (ngx_redis_spare_t *) link;

    ngx_redis_pipeline_rewind(&spare->pipeline);
}


static void
ngx_redis_spare_closed(ngx_redis_link_t *link)
{
    ngx_redis_link_leave(link);
}


/* it is no failure of the node; that there was one may be a reason to ask */

static ngx_int_t
ngx_redis_spare_failed(ngx_redis_link_t *link)
{
    ngx_redis_spare_t *spare = (ngx_redis_spare_t *) link;

    spare->principal->hooks->trouble(spare->principal);

    ngx_redis_link_leave(link);

    return NGX_DONE;
}


static void
ngx_redis_spare_drop(ngx_redis_spare_t *spare)
{
    ngx_redis_node_t  *node;

    node = spare->principal;

    if (spare == node->late) {
        node->late = NULL;
        node->link.stream.late = NULL;

        if (spare->link.state == ngx_redis_link_ready) {
            ngx_redis_socket_reset(spare->link.stream.peer.connection);
        }

    } else {
        node->spare = NULL;
    }

    ngx_redis_link_end(&spare->link);
    ngx_redis_pipeline_end(&spare->pipeline);

    ngx_free(spare);
}


static void
ngx_redis_spare_switch(ngx_redis_node_t *node)
{
    ngx_redis_spare_t  *spare;

    ngx_log_error(NGX_LOG_WARN, &node->link.log, 0,
                  "nothing was heard from redis for %M ms, "
                  "its commands go to a new connection",
                  ngx_current_msec - node->heard);

    if (node->late) {
        ngx_redis_spare_drop(node->late);
    }

    spare = node->spare;
    node->spare = NULL;
    node->late = spare;
    node->link.stream.late = &spare->link.stream;

    ngx_redis_switch(node, spare);
    ngx_redis_spare_heard(node);
    ngx_redis_breaker_answered(&node->breaker);
    ngx_redis_link_wake(&node->link);
}
