
/*
 * A client that leaves.
 *
 * While a request waits to be admitted, this ends it, and gives back what it
 * has claimed.  Behind that it changes nothing: the upstream has the request,
 * and what it answers is for the retry.  For HTTP/1 and HTTP/2 both follow from
 * nginx' own handlers and proxy_ignore_client_abort; HTTP/3 has ends of its
 * own.
 */


#include "request/ngx_http_segments_client.h"
#include "life/ngx_http_segments_life.h"


/*
 * A stream's connection has this member in every build that can meet one;
 * Tengine has a QUIC of its own, without.
 */

#if (nginx_version >= 1025000 && (NGX_QUIC || NGX_COMPAT)                     \
     && !defined tengine_version)
#define NGX_HTTP_SEGMENTS_QUIC  1
#endif


#if (NGX_HTTP_SEGMENTS_QUIC)

static void ngx_http_segments_test_answer(ngx_http_request_t *r);
static void ngx_http_segments_stream_handler(ngx_event_t *rev);
static ngx_uint_t ngx_http_segments_outlives(ngx_connection_t *c);

#endif


void
ngx_http_segments_test_client(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

#if (NGX_HTTP_SEGMENTS_QUIC)

    if (r->connection->quic) {
        r->write_event_handler = ngx_http_segments_test_answer;
    }

#endif
}


ngx_int_t
ngx_http_segments_watch_client(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    rev = r->connection->read;

#if (NGX_HTTP_SEGMENTS_QUIC)

    if (r->connection->quic && r->connection->write->error) {
        rev->error = 1;
        rev->ready = 1;
    }

#endif

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(rev, 0);
}


void
ngx_http_segments_outlive_client(ngx_http_request_t *r)
{
#if (NGX_HTTP_SEGMENTS_QUIC)

    ngx_connection_t  *c;

    c = r->connection;

    /* one handler serves both events of a request, and tells them apart */

    if (c->quic && c->read->handler == c->write->handler) {
        c->read->handler = ngx_http_segments_stream_handler;
    }

#endif
}


#if (NGX_HTTP_SEGMENTS_QUIC)

/*
 * Who has sent all of a request cannot reset its stream any more, and says
 * that the answer is not wanted; nginx looks for a reset only.
 */

static void
ngx_http_segments_test_answer(ngx_http_request_t *r)
{
    if (r->connection->write->error) {
        r->connection->read->error = 1;

        ngx_http_test_reading(r);
    }
}


/*
 * The end of a QUIC connection, which its client closed or let time out, ends
 * the requests of all its streams without asking proxy_ignore_client_abort:
 * their connections are marked to be closed, and their read events called.  A
 * stream that is not closed keeps the whole in memory until it is.
 */

static void
ngx_http_segments_stream_handler(ngx_event_t *rev)
{
    ngx_connection_t  *c;

    c = rev->data;

    if (c->close && ngx_http_segments_outlives(c)) {
        c->close = 0;
    }

    c->write->handler(rev);
}


static ngx_uint_t
ngx_http_segments_outlives(ngx_connection_t *c)
{
    ngx_http_request_t       *r;
    ngx_http_segments_ctx_t  *ctx;

    /* the time of a worker that shuts down is over: it ends everything */

    if (c->error && ngx_exiting) {
        return 0;
    }

    r = c->data;
    ctx = ngx_http_segments_get_ctx(r->main);

    if (ctx == NULL) {
        return 0;
    }

    switch (ctx->state) {

    case ngx_http_segments_forward:
    case ngx_http_segments_capture:
    case ngx_http_segments_settle:
        return 1;

    default:
        return 0;
    }
}

#endif
