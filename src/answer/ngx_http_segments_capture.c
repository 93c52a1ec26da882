
/*
 * An answer to a claimed request is held until Redis knows how the request
 * ended, or does not answer in time: no client has an answer that a retry
 * would not get.
 */


#include "answer/ngx_http_segments_capture.h"
#include "answer/ngx_http_segments_input.h"
#include "answer/ngx_http_segments_settle.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_chain.h"


/* the first piece of memory for a body of unknown length */
#define NGX_HTTP_SEGMENTS_CAPTURE  4096


static void ngx_http_segments_even_out(ngx_http_request_t *r);
static ngx_int_t ngx_http_segments_keep(ngx_http_segments_ctx_t *ctx,
    ngx_buf_t *b);
static ngx_int_t ngx_http_segments_make_room(ngx_http_segments_ctx_t *ctx,
    size_t size);


ngx_int_t
ngx_http_segments_capture_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    off_t                          length;
    size_t                         size;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    ngx_http_segments_enter(ctx, ngx_http_segments_capture);

    ngx_http_segments_watch_input(r, ctx);

    if (ctx->replaced) {
        return NGX_OK;
    }

    ngx_http_segments_even_out(r);

    length = r->headers_out.content_length_n;

    if (length > (off_t) slcf->idempotency.max_response) {
        return ngx_http_segments_end_capture(r, ctx, 0) == NGX_ERROR
               ? NGX_ERROR : NGX_OK;
    }

    size = (length == -1)
           ? ngx_min(NGX_HTTP_SEGMENTS_CAPTURE, slcf->idempotency.max_response)
           : (size_t) length;

    return ngx_http_segments_make_room(ctx, ngx_max(size, 1));
}


/* what nginx would do to the first answer and not to a replay */

static void
ngx_http_segments_even_out(ngx_http_request_t *r)
{
    /* a rewritten one would be made absolute */

    r->headers_out.location = NULL;

    /* a POST is answered whole, whatever Range says */

    r->allow_ranges = 0;

    if (r->headers_out.status == NGX_HTTP_NO_CONTENT) {
        ngx_str_null(&r->headers_out.content_type);
        ngx_http_clear_content_length(r);
    }
}


ngx_int_t
ngx_http_segments_capture_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    for (cl = in; cl; cl = cl->next) {

        b = cl->buf;

        if (!ctx->replaced) {

            rc = ngx_http_segments_keep(ctx, b);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_DECLINED) {

                /* too large: what came so far goes first */

                if (ngx_http_segments_end_capture(r, ctx, 0) == NGX_ERROR) {
                    return NGX_ERROR;
                }

                return (ctx->state == ngx_http_segments_settle)
                       ? ngx_http_segments_hold(r, ctx, cl)
                       : ngx_http_segments_send_held(r, ctx, cl);
            }
        }

        ngx_http_segments_consume(b);

        if (b->last_buf) {
            return ngx_http_segments_end_capture(r, ctx, 1);
        }
    }

    return NGX_OK;
}


/* NGX_DECLINED when the body grows too large to be kept */

static ngx_int_t
ngx_http_segments_keep(ngx_http_segments_ctx_t *ctx, ngx_buf_t *b)
{
    size_t                         len, size, used;
    ngx_buf_t                     *kept;
    ngx_http_segments_loc_conf_t  *slcf;

    if (!ngx_buf_in_memory(b) || b->last == b->pos) {
        return NGX_OK;
    }

    kept = ctx->captured;
    len = b->last - b->pos;
    used = kept->last - kept->pos;
    size = kept->end - kept->start;

    slcf = ngx_http_get_module_loc_conf(ctx->request,
                                        ngx_http_segments_module);

    /* before all else: the smallest buffer has room for more than nothing */

    if (len > slcf->idempotency.max_response - used) {
        return NGX_DECLINED;
    }

    if (len > size - used) {
        while (size < used + len) {
            size *= 2;
        }

        size = ngx_min(size, slcf->idempotency.max_response);

        if (ngx_http_segments_make_room(ctx, size) != NGX_OK) {
            return NGX_ERROR;
        }

        kept = ctx->captured;
    }

    kept->last = ngx_cpymem(kept->last, b->pos, len);

    return NGX_OK;
}


/* of the claim, which may have to outlive the request with it */

static ngx_int_t
ngx_http_segments_make_room(ngx_http_segments_ctx_t *ctx, size_t size)
{
    ngx_buf_t  *b;

    b = ngx_http_segments_claim_room(ctx->claim, ctx->captured, size);
    if (b == NULL) {
        return NGX_ERROR;
    }

    ctx->captured = b;

    return NGX_OK;
}
