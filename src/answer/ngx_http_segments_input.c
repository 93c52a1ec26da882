
/*
 * An answer that cannot be read is one that was cut.
 *
 * Where a body is malformed, as chunks can be, nginx drops the client's
 * connection without a word.  While the answer is held there is a better end:
 * the upstream's connection counts as broken, and 502 follows.
 *
 * And where a body was cut, nginx only flushes what has been sent.  Nothing has
 * been: it is told so, and ends the request with an error of its own.  Filters
 * in front of ours may keep a flush for themselves.
 */


#include "answer/ngx_http_segments_input.h"
#include "life/ngx_http_segments_conf.h"
#include "upstream/ngx_http_segments_sent.h"


static ngx_int_t ngx_http_segments_input_filter_init(void *data);
static ngx_int_t ngx_http_segments_pipe_filter(ngx_event_pipe_t *p,
    ngx_buf_t *buf);
static ngx_int_t ngx_http_segments_input_filter(void *data, ssize_t bytes);
static void ngx_http_segments_finalize_upstream(ngx_http_request_t *r,
    ngx_int_t rc);


void
ngx_http_segments_watch_input(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ctx->input_filter_init = r->upstream->input_filter_init;
    r->upstream->input_filter_init = ngx_http_segments_input_filter_init;

    ctx->finalize_upstream = r->upstream->finalize_request;
    r->upstream->finalize_request = ngx_http_segments_finalize_upstream;
}


/* behind the header: the proxy module decides here how to read the body */

static ngx_int_t
ngx_http_segments_input_filter_init(void *data)
{
    ngx_http_request_t *r = data;

    ngx_int_t                 rc;
    ngx_http_upstream_t      *u;
    ngx_http_segments_ctx_t  *ctx;

    u = r->upstream;
    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    rc = ctx->input_filter_init(data);

    if (rc != NGX_OK) {
        return rc;
    }

    if (u->buffering) {
        ctx->pipe_filter = u->pipe->input_filter;
        u->pipe->input_filter = ngx_http_segments_pipe_filter;

    } else {
        ctx->input_filter = u->input_filter;
        u->input_filter = ngx_http_segments_input_filter;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_pipe_filter(ngx_event_pipe_t *p, ngx_buf_t *buf)
{
    ngx_http_request_t       *r;
    ngx_http_segments_ctx_t  *ctx;

    r = p->input_ctx;
    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx->pipe_filter(p, buf) == NGX_ERROR) {
        p->upstream_error = 1;
        ngx_http_segments_abandon(r);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_input_filter(void *data, ssize_t bytes)
{
    ngx_http_request_t *r = data;

    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx->input_filter(data, bytes) == NGX_ERROR) {
        r->upstream->error = 1;
        ngx_http_segments_abandon(r);
    }

    return NGX_OK;
}


static void
ngx_http_segments_finalize_upstream(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    ctx->finalize_upstream(r, rc);

    if (rc < NGX_HTTP_SPECIAL_RESPONSE
        || ctx->state != ngx_http_segments_capture)
    {
        return;
    }

    /* as if it had not come, but for the fact that the request was sent */

    ctx->captured = NULL;
    ctx->upstream_status = 0;

    ngx_http_segments_enter(ctx, ngx_http_segments_forward);

    /* as ngx_http_filter_finalize_request() */

    ngx_http_clean_header(r);

    ngx_memzero(r->ctx, sizeof(void *) * ngx_http_max_module);
    ngx_http_set_ctx(r, ctx, ngx_http_segments_module);

    r->upstream->header_sent = 0;
}
