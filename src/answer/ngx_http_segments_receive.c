
/*
 * What an upstream sends is masked before nginx reads it: variables, access
 * logs and nginx's own lines in the error log then have nothing to show.
 *
 * The header is read by u->process_header, which the proxy module sets, and
 * changes between the lines and with each attempt.  Ours stands in its place:
 * it overwrites complete keys, and hides from the parser those bytes at the
 * end that may begin one, until it is known whether they do.
 *
 * It has to be there before the first byte, and the upstream may have been
 * connected, and even have answered, before the proxy module's handler
 * returns.  But while that makes the request it asks for proxy_method, which
 * is ours in a guarded location.
 */


#include "answer/ngx_http_segments_receive.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"


/* a script of one operation */
typedef struct {
    ngx_http_script_code_pt       code;
    uintptr_t                     end;
} ngx_http_segments_script_t;


static size_t ngx_http_segments_method_len(ngx_http_script_engine_t *e);
static void ngx_http_segments_method(ngx_http_script_engine_t *e);
static void ngx_http_segments_stand_in(ngx_http_request_t *r);
static ngx_int_t ngx_http_segments_process_header(ngx_http_request_t *r);
static void ngx_http_segments_tell(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_found_t *found,
    ngx_int_t rc);
static ngx_int_t ngx_http_segments_reinit_request(ngx_http_request_t *r);


static ngx_http_segments_script_t  ngx_http_segments_method_lengths = {
    (ngx_http_script_code_pt) (void *) ngx_http_segments_method_len, 0
};

static ngx_http_segments_script_t  ngx_http_segments_method_values = {
    ngx_http_segments_method, 0
};

static ngx_http_complex_value_t  ngx_http_segments_proxy_method = {
    ngx_null_string,
    NULL,
    &ngx_http_segments_method_lengths,
    &ngx_http_segments_method_values,
    { 0 }
};


void
ngx_http_segments_receive(ngx_http_proxy_loc_conf_t *plcf)
{
    plcf->method = &ngx_http_segments_proxy_method;

    /* neither is recorded: a replay would be another answer than the first */

#if (nginx_version >= 1027002)
    plcf->upstream.pass_trailers = 0;
#endif

#ifdef NGX_HTTP_UPSTREAM_EARLY_HINTS
    plcf->upstream.pass_early_hints = 0;
#endif
}


static size_t
ngx_http_segments_method_len(ngx_http_script_engine_t *e)
{
    e->ip += sizeof(uintptr_t);

    ngx_http_segments_stand_in(e->request);

    return e->request->method_name.len;
}


static void
ngx_http_segments_method(ngx_http_script_engine_t *e)
{
    e->ip += sizeof(uintptr_t);

    e->pos = ngx_cpymem(e->pos, e->request->method_name.data,
                        e->request->method_name.len);
}


static void
ngx_http_segments_stand_in(ngx_http_request_t *r)
{
    ngx_http_upstream_t      *u;
    ngx_http_segments_ctx_t  *ctx;

    u = r->upstream;
    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx == NULL || u->process_header == ngx_http_segments_process_header) {
        return;
    }

    ctx->process_header = u->process_header;
    ctx->reinit_request = u->reinit_request;

    u->process_header = ngx_http_segments_process_header;
    u->reinit_request = ngx_http_segments_reinit_request;

    ngx_http_segments_redact_restart(&ctx->masks);
}


static ngx_int_t
ngx_http_segments_process_header(ngx_http_request_t *r)
{
    u_char                        *last;
    ngx_int_t                      rc;
    ngx_buf_t                     *b;
    ngx_http_upstream_t           *u;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_found_t      found;
    ngx_http_segments_loc_conf_t  *slcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    ngx_http_segments_redact_begin(&ctx->masks, slcf->secret);

    u = r->upstream;
    b = &u->buffer;

    last = b->last;
    b->last = ngx_http_segments_redact_arrived(&ctx->masks, b, &found);

    u->process_header = ctx->process_header;

    rc = u->process_header(r);

    b->last = last;

    ctx->process_header = u->process_header;
    u->process_header = ngx_http_segments_process_header;

    if (found.first) {
        ngx_http_segments_tell(r, ctx, &found, rc);
    }

    switch (rc) {

    case NGX_AGAIN:
        break;

#ifdef NGX_HTTP_UPSTREAM_EARLY_HINTS

    case NGX_HTTP_UPSTREAM_EARLY_HINTS:

        /* what is behind them takes their place in the buffer */

        ngx_http_segments_redact_moved(&ctx->masks, b->pos - b->start);
        break;

#endif

    default:

        /* the body is read from its beginning, by the body filter */

        ngx_http_segments_redact_restart(&ctx->masks);
    }

    return rc;
}


/* the beginning of the body may have come with the header */

static void
ngx_http_segments_tell(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_found_t *found, ngx_int_t rc)
{
    u_char  *body;

    body = (rc == NGX_OK) ? r->upstream->buffer.pos : found->last;

    if (found->first <= body && !ctx->masks.masked) {
        ctx->masks.masked = 1;

        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "upstream sent the Secret Key back in front of a body, "
                      "where it is masked");
    }

    if (found->last > body) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "upstream sent the Secret Key back in a body, "
                      "where it is masked");
    }
}


/* before the next attempt */

static ngx_int_t
ngx_http_segments_reinit_request(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_upstream_t      *u;
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;

    rc = ctx->reinit_request(r);

    ctx->process_header = u->process_header;
    u->process_header = ngx_http_segments_process_header;

    ngx_http_segments_redact_restart(&ctx->masks);

    return rc;
}
