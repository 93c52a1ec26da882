
/*
 * What happens to a link, and what its owner hears of it.
 */


#include "redis/transport/ngx_redis_events.h"
#include "redis/transport/ngx_redis_connect.h"
#include "redis/transport/ngx_redis_tls.h"


static void ngx_redis_events_handler(ngx_event_t *ev);
static ngx_chain_t *ngx_redis_events_unwritten(ngx_redis_stream_t *stream);
static void ngx_redis_events_written(ngx_redis_stream_t *stream);
static void ngx_redis_events_heard(ngx_redis_stream_t *stream);
static ngx_uint_t ngx_redis_events_swift(ngx_redis_stream_t *stream);
static ngx_int_t ngx_redis_events_reply(ngx_redis_stream_t *stream,
    redisReply *reply);
static void ngx_redis_events_greeted(ngx_redis_link_t *link);
static void ngx_redis_events_taken(ngx_redis_stream_t *stream);
static void ngx_redis_events_nonsense(ngx_redis_stream_t *stream);
static ngx_int_t ngx_redis_events_silent(ngx_redis_stream_t *stream);
static void ngx_redis_events_failed(ngx_redis_stream_t *stream);
static void ngx_redis_events_closed(ngx_redis_stream_t *stream);


static const ngx_redis_stream_hooks_t  ngx_redis_events_hooks = {
    .opened = ngx_redis_connect_opened,
    .secured = ngx_redis_connect_secured,
    .unwritten = ngx_redis_events_unwritten,
    .written = ngx_redis_events_written,
    .heard = ngx_redis_events_heard,
    .reply = ngx_redis_events_reply,
    .swift = ngx_redis_events_swift,
    .taken = ngx_redis_events_taken,
    .nonsense = ngx_redis_events_nonsense,
    .hung_up = ngx_redis_connect_hung_up,
    .silent = ngx_redis_events_silent,
    .timed_out = ngx_redis_connect_timed_out,
    .failed = ngx_redis_events_failed,
    .closed = ngx_redis_events_closed
};


void
ngx_redis_link_init(ngx_redis_link_t *link, ngx_redis_t *redis,
    const ngx_redis_link_hooks_t *hooks, ngx_redis_host_t *hosts,
    ngx_uint_t nhosts, ngx_redis_greeting_t *greeting)
{
    link->redis = redis;
    link->ident = -1;
    link->hooks = hooks;

    ngx_queue_init(&link->queue);

    ngx_redis_link_log_init(link);

    link->tries = &link->backoff;

    link->backoff.timer.handler = ngx_redis_events_handler;
    link->backoff.timer.data = link;
    link->backoff.timer.log = &link->log;
    link->backoff.timer.cancelable = 1;

    link->work.handler = ngx_redis_events_handler;
    link->work.data = link;
    link->work.log = &link->log;

    link->resolve.handler = ngx_redis_connect_resolved;
    link->resolve.data = link;
    link->resolve.log = &link->log;

    link->stream.hooks = &ngx_redis_events_hooks;
    link->stream.redis = redis;
    link->stream.site = &link->site;
    link->stream.log = &link->log;

    ngx_redis_site_set(&link->site, hosts, nhosts);
    ngx_redis_greeter_init(&link->greeter, redis, greeting, &link->log);
}


void
ngx_redis_link_end(ngx_redis_link_t *link)
{
    ngx_redis_link_close(link);
    ngx_redis_site_free(&link->site);

    if (link->backoff.timer.timer_set) {
        ngx_del_timer(&link->backoff.timer);
    }

    if (link->work.posted) {
        ngx_delete_posted_event(&link->work);
    }
}


static void
ngx_redis_events_handler(ngx_event_t *ev)
{
    ngx_redis_link_t *link = ev->data;

    if (link->hooks->work && link->hooks->work(link) == NGX_DONE) {
        return;
    }

    if (link->leaving) {
        link->leaving = 0;

        if (link->state != ngx_redis_link_down) {
            ngx_redis_link_close(link);
            ngx_redis_link_next(link);
        }
    }

    if (link->live == 0 && ngx_exiting) {
        ngx_redis_link_close(link);
        return;
    }

    switch (link->state) {

    case ngx_redis_link_down:

        if (ngx_redis_link_wanted(link) && !link->backoff.timer.timer_set) {
            ngx_redis_connect(link);
        }

        break;

    case ngx_redis_link_resolving:
    case ngx_redis_link_connecting:
    case ngx_redis_link_securing:
    case ngx_redis_link_greeting:
        break;

    case ngx_redis_link_ready:

        if (link->hooks->prepare) {
            link->hooks->prepare(link);
        }

        ngx_redis_link_send(link);
        break;
    }
}


static ngx_chain_t *
ngx_redis_events_unwritten(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    if (link->state == ngx_redis_link_ready && link->hooks->unwritten) {
        return link->hooks->unwritten(link);
    }

    return (link->greeter.buf.pos < link->greeter.buf.last)
           ? &link->greeter.link : NULL;
}


static void
ngx_redis_events_written(ngx_redis_stream_t *stream)
{
    ngx_event_t       *rev;
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    if (link->hooks->written) {
        link->hooks->written(link);
    }

    rev = stream->peer.connection->read;

    if (!rev->timer_set || rev->cancelable) {
        link->hooks->await(link);
    }
}


static void
ngx_redis_events_heard(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    if (link->state == ngx_redis_link_ready) {
        stream->overdue = 0;
    }

    if (link->hooks->heard) {
        link->hooks->heard(link);
    }
}


static ngx_int_t
ngx_redis_events_reply(ngx_redis_stream_t *stream, redisReply *reply)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    if (link->state == ngx_redis_link_ready) {
        return link->hooks->reply(link, reply);
    }

    switch (ngx_redis_greeting_reply(&link->greeter, reply)) {

    case NGX_OK:
        link->step = ngx_current_msec;
        return NGX_OK;

    case NGX_DONE:
        link->step = ngx_current_msec;
        ngx_redis_events_greeted(link);
        return NGX_OK;

    case NGX_DECLINED:

        if (link->hooks->refused) {
            link->hooks->refused(link);
        }

        return NGX_ERROR;

    default: /* NGX_ERROR */
        return NGX_ERROR;
    }
}


static ngx_uint_t
ngx_redis_events_swift(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    return link->state == ngx_redis_link_ready
           && link->hooks->swift
           && link->hooks->swift(link);
}


static void
ngx_redis_events_greeted(ngx_redis_link_t *link)
{
    ngx_connection_t  *c;

    c = link->stream.peer.connection;

    ngx_del_timer(c->write);

    ngx_redis_greeting_end(&link->greeter);
    ngx_redis_tls_overwrite(c);

    link->log.action = "talking to";

    link->site.tried = 0;
    link->site.unlucky = 0;
    link->state = ngx_redis_link_ready;

    ngx_redis_events_heard(&link->stream);

    link->hooks->ready(link);
}


static void
ngx_redis_events_taken(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    link->hooks->await(link);
}


static void
ngx_redis_events_nonsense(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    if (link->hooks->nonsense) {
        link->hooks->nonsense(link);
    }
}


static ngx_int_t
ngx_redis_events_silent(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    return link->hooks->silent(link);
}


static void
ngx_redis_events_failed(ngx_redis_stream_t *stream)
{
    ngx_redis_link_failed(ngx_redis_link_of(stream));
}


static void
ngx_redis_events_closed(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    ngx_redis_link_close(link);

    if (link->hooks->closed) {
        link->hooks->closed(link);
    }
}
