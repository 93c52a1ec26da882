
/*
 * An answer leaves to the filters behind.
 */


#include "answer/ngx_http_segments_output.h"
#include "message/ngx_http_segments_chain.h"


ngx_http_output_header_filter_pt  ngx_http_segments_next_header_filter;
ngx_http_output_body_filter_pt    ngx_http_segments_next_body_filter;


static ngx_int_t ngx_http_segments_send_envelope(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in);


ngx_int_t
ngx_http_segments_send_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_chain_t  *out;

    if (ctx->replaced) {
        return ngx_http_segments_send_envelope(r, ctx, in);
    }

    if (!ctx->answered || ctx->redacted) {
        return ngx_http_segments_next_body_filter(r, in);
    }

    if (ngx_http_segments_redact_chain(r, &ctx->masks, in, &out) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_segments_next_body_filter(r, out);
}


static ngx_int_t
ngx_http_segments_send_envelope(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    for ( /* void */ ; in; in = in->next) {
        ngx_http_segments_consume(in->buf);
    }

    if (ctx->sent) {
        return ngx_http_segments_next_body_filter(r, NULL);
    }

    ctx->sent = 1;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->envelope.data;
    b->last = ctx->envelope.data + ctx->envelope.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_segments_next_body_filter(r, &out);
}
