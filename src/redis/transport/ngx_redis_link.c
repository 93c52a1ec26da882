
/*
 * A place that one connects to, in whatever state: what wakes it, and how its
 * connection ends.  How it is made stands in ngx_redis_connect.c.
 */


#include "redis/transport/ngx_redis_link.h"
#include "redis/transport/ngx_redis_tally.h"
#include "redis/transport/ngx_redis_tls.h"


static void ngx_redis_link_writer(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len);
static u_char *ngx_redis_link_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


void
ngx_redis_link_wake(ngx_redis_link_t *link)
{
    /*
     * ngx_posted_events is run last in a turn of the event loop, so that all
     * commands of the turn leave together
     */

    ngx_post_event(&link->work, &ngx_posted_events);
}


void
ngx_redis_link_live(ngx_redis_link_t *link)
{
    if (link->stream.peer.connection) {
        link->stream.peer.connection->idle = (link->live == 0);
    }

    if (link->live == 0 && ngx_exiting) {
        ngx_redis_link_wake(link);
    }
}


ngx_uint_t
ngx_redis_link_wanted(ngx_redis_link_t *link)
{
    return link->site.nhosts && link->hooks->wanted(link);
}


ngx_int_t
ngx_redis_link_relocate(ngx_redis_link_t *link,
    const ngx_redis_place_t *place)
{
    ngx_redis_host_t  host;

    if (ngx_redis_host_set(&host, place, &link->log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (link->hooks->closing) {
        link->hooks->closing(link);     /* what is beside it is there, too */
    }

    ngx_redis_site_move(&link->site, &host);

    ngx_redis_link_leave(link);

    return NGX_OK;
}


void
ngx_redis_link_leave(ngx_redis_link_t *link)
{
    link->leaving = 1;

    ngx_redis_link_wake(link);
}


void
ngx_redis_link_send(ngx_redis_link_t *link)
{
    if (ngx_redis_stream_send(&link->stream) != NGX_OK) {
        ngx_redis_link_failed(link);
    }
}


void
ngx_redis_link_close(ngx_redis_link_t *link)
{
    ngx_uint_t  ready;

    if (link->state == ngx_redis_link_down) {
        return;
    }

    ready = (link->state == ngx_redis_link_ready);

    if (link->hooks->closing) {
        link->hooks->closing(link);
    }

    ngx_redis_resolve_cancel(&link->site);

    if (link->stream.peer.connection) {
        ngx_redis_tls_close(link->stream.peer.connection);
    }

    ngx_redis_stream_close(&link->stream);
    ngx_redis_greeting_end(&link->greeter);

    link->state = ngx_redis_link_down;

    link->hooks->lost(link, ready);
}


void
ngx_redis_link_failed(ngx_redis_link_t *link)
{
    ngx_uint_t  ready;

    ready = (link->state == ngx_redis_link_ready);

    ngx_redis_link_close(link);

    if (link->greeter.again) {
        link->greeter.again = 0;
        ngx_redis_link_wake(link);
        return;
    }

    if (link->hooks->failed(link) == NGX_DONE) {
        return;
    }

    if (ready) {

        /* at once, unless Redis keeps hanging up without an answer */

        if (link->backoff.failures > 0) {
            link->vain = 1;
            ngx_redis_backoff_pause(&link->backoff);
        }

        link->backoff.failures++;
        return;
    }

    ngx_redis_link_next(link);
}


void
ngx_redis_link_next(ngx_redis_link_t *link)
{
    if (ngx_redis_site_next(&link->site) == NGX_OK) {
        ngx_redis_link_wake(link);
        return;
    }

    ngx_redis_backoff_pause(&link->backoff);

    link->backoff.failures++;

    if (link->hooks->not_reached) {
        link->hooks->not_reached(link);
    }
}


void
ngx_redis_link_log_init(ngx_redis_link_t *link)
{
    link->log = *ngx_cycle->log;
    link->log.handler = ngx_redis_link_log_error;
    link->log.data = link;
    link->log.writer = ngx_redis_link_writer;
    link->log.wdata = link;
    link->log.next = NULL;
}


/* the first connection that fails is always told of, as is what happens to one
   that worked, and that the breaker opens */

static void
ngx_redis_link_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len)
{
    ngx_redis_link_t *link = log->wdata;

    if (level < NGX_LOG_WARN
        && link->state != ngx_redis_link_ready
        && ngx_redis_tally_counted(level, buf, len,
                                   link->backoff.failures == 0))
    {
        return;
    }

    ngx_redis_tally_write(ngx_cycle->log, level, buf, len);
}


static u_char *
ngx_redis_link_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char            *p;
    ngx_redis_link_t  *link;

    p = buf;
    link = log->data;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s redis node \"%V\"", log->action,
                         &link->redis->name);
        len -= p - buf;
        buf = p;
    }

    if (link->site.peer) {
        p = ngx_snprintf(buf, len, ", peer: %V", link->site.peer);
    }

    return p;
}
