
/*
 * An answer that cannot be read is one that was cut.
 *
 * Where a body is malformed, as chunks can be, nginx drops the client's
 * connection without a word.  While the answer is held there is a better end:
 * the upstream's connection counts as broken, and 502 follows.
 */


#include "ngx_http_segments_module.h"


static ngx_int_t ngx_http_segments_input_filter_init(void *data);
static ngx_int_t ngx_http_segments_pipe_filter(ngx_event_pipe_t *p,
    ngx_buf_t *buf);
static ngx_int_t ngx_http_segments_input_filter(void *data, ssize_t bytes);


void
ngx_http_segments_watch_input(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ctx->input_filter_init = r->upstream->input_filter_init;
    r->upstream->input_filter_init = ngx_http_segments_input_filter_init;
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
