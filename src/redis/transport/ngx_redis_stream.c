
/*
 * The events of one connection: told to its owner, by hooks.
 */


#include "redis/transport/ngx_redis_stream.h"
#include "redis/transport/ngx_redis_intake.h"
#include "redis/transport/ngx_redis_socket.h"


static void ngx_redis_stream_overdue(ngx_redis_stream_t *stream,
    ngx_event_t *ev);


ngx_int_t
ngx_redis_stream_connect(ngx_redis_stream_t *stream, ngx_addr_t *addr,
    ngx_msec_t timeout)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *pc;

    pc = &stream->peer;
    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &addr->name;
    pc->get = ngx_event_get_peer;
    pc->log = stream->log;
    pc->log_error = NGX_ERROR_ERR;
    pc->so_keepalive = (addr->sockaddr->sa_family != AF_UNIX);

    rc = ngx_event_connect_peer(pc);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return rc;
    }

    c = pc->connection;
    c->data = stream;
    c->read->handler = ngx_redis_stream_read_handler;
    c->write->handler = ngx_redis_stream_write_handler;

    if (pc->so_keepalive) {
        ngx_redis_socket_keepalive(c);
    }

    stream->connecting = (rc == NGX_AGAIN);
    stream->overdue = 0;
    stream->spoke = 0;
    stream->started = ngx_current_msec;
    stream->timeout = timeout;

    /* the greeting included */
    ngx_add_timer(c->write, timeout);

    return rc;
}


void
ngx_redis_stream_write_handler(ngx_event_t *wev)
{
    ngx_connection_t    *c;
    ngx_redis_stream_t  *stream;

    c = wev->data;
    stream = c->data;

    if (wev->timedout && !stream->overdue) {
        ngx_redis_stream_overdue(stream, wev);
        return;
    }

    if (wev->timedout) {
        stream->hooks->timed_out(stream);
        return;
    }

    if (stream->connecting) {
        stream->connecting = 0;
        (void) stream->hooks->opened(stream);
        return;
    }

    if (ngx_redis_stream_send(stream) != NGX_OK) {
        stream->hooks->failed(stream);
    }
}


ngx_int_t
ngx_redis_stream_send(ngx_redis_stream_t *stream)
{
    ngx_chain_t       *cl;
    ngx_connection_t  *c;

    c = stream->peer.connection;

    do {
        cl = stream->hooks->unwritten(stream);

        if (cl == NULL && !c->buffered) {
            break;
        }

        cl = c->send_chain(c, cl, 0);

        if (cl == NGX_CHAIN_ERROR) {

            /* TLS, or an earlier call of the system, may have taken some */

            stream->hooks->written(stream);
            return NGX_ERROR;
        }

        stream->hooks->written(stream);

    } while (c->write->ready);

    return ngx_handle_write_event(c->write, 0);
}


void
ngx_redis_stream_read_handler(ngx_event_t *rev)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_redis_stream_t  *stream;

    c = rev->data;
    stream = c->data;

    if (c->close) {
        stream->hooks->closed(stream);
        return;
    }

    if (rev->timedout && rev->cancelable) {
        rev->timedout = 0;              /* nothing is awaited */
        return;
    }

    if (rev->timedout && !stream->overdue) {
        ngx_redis_stream_overdue(stream, rev);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;

        if (stream->hooks->silent(stream) != NGX_OK) {
            stream->hooks->failed(stream);
        }

        return;
    }

    if (stream->connecting) {
        stream->connecting = 0;

        if (stream->hooks->opened(stream) != NGX_OK) {
            return;
        }
    }

    rc = ngx_redis_intake(stream);

    if (rc == NGX_ERROR || ngx_handle_read_event(rev, 0) != NGX_OK) {
        stream->hooks->failed(stream);
        return;
    }

    if (rc == NGX_OK) {
        stream->hooks->taken(stream);
    }
}


/*
 * A timer of the connection has passed: what has arrived is read first.  One
 * that is still being made may be so in the system already.
 */

static void
ngx_redis_stream_overdue(ngx_redis_stream_t *stream, ngx_event_t *ev)
{
    stream->overdue = 1;
    ev->timedout = 0;

    ngx_redis_stream_catch_up(stream);

    /* writing has a timer until the greeting was answered, reading has its own
       afterwards */

    ngx_add_timer(ev, ev->write ? ngx_redis_grace(stream->started
                                                  + stream->timeout,
                                                  stream->timeout)
                                : 1);
}


void
ngx_redis_stream_catch_up(ngx_redis_stream_t *stream)
{
    ngx_event_t  *rev;

    if (stream->peer.connection == NULL || stream->connecting) {
        return;
    }

    /* as if it had been reported: else nothing would be asked of the system */

    rev = stream->peer.connection->read;

    rev->ready = 1;
    rev->available = -1;

    ngx_post_event(rev, &ngx_posted_events);

    if (stream->late) {
        ngx_redis_stream_catch_up(stream->late);
    }
}


ngx_msec_t
ngx_redis_grace(ngx_msec_t due, ngx_msec_t timeout)
{
    /*
     * The same for all that have passed in this turn: they stay together.  At
     * least a millisecond: a timer that is due now would be in this turn, too,
     * and what is read in it is read behind the timers.
     */

    return ((ngx_msec_int_t) (ngx_current_msec - due)
            > (ngx_msec_int_t) (timeout / 8))
           ? timeout / 4 + 1 : 1;
}


void
ngx_redis_stream_close(ngx_redis_stream_t *stream)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    if (stream->reader) {
        redisReaderFree(stream->reader);
        stream->reader = NULL;
    }

    c = stream->peer.connection;

    if (c) {
        pool = c->pool;

        ngx_close_connection(c);

        if (pool) {
            ngx_destroy_pool(pool);
        }
    }

    stream->peer.connection = NULL;
    stream->connecting = 0;
}
