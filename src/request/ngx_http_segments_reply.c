
/*
 * What the gateway answers by itself leaves here.
 */


#include "request/ngx_http_segments_reply.h"
#include "life/ngx_http_segments_status.h"
#include "message/ngx_http_segments_field.h"


ngx_int_t
ngx_http_segments_add_replayed(ngx_http_request_t *r)
{
    static ngx_str_t  name = ngx_string("Idempotent-Replayed");
    static ngx_str_t  value = ngx_string("true");

    return ngx_http_segments_add_header(r, &name, &value) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_segments_send(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (ngx_http_segments_add_status(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_replied);

    if (r->headers_out.status == NGX_HTTP_SEGMENTS_UNPROCESSABLE) {
        ngx_str_set(&r->headers_out.status_line, "422 Unprocessable Content");
    }

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = body->len;

    r->disable_not_modified = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_http_finalize_request(r, rc);
        return NGX_DONE;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return NGX_DONE;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = body->len ? 1 : 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    ngx_http_finalize_request(r, ngx_http_output_filter(r, &out));

    return NGX_DONE;
}
