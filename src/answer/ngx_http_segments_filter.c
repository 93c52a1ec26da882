
/*
 * The answer's way to the client: what must not leave is taken out, and what
 * nginx itself answers in a guarded location becomes Qonversion's envelope.
 */


#include "answer/ngx_http_segments_filter.h"
#include "answer/ngx_http_segments_capture.h"
#include "answer/ngx_http_segments_output.h"
#include "answer/ngx_http_segments_settle.h"
#include "contract/sg_envelope.h"
#include "contract/sg_headers.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_status.h"
#include "message/ngx_http_segments_text.h"
#include "upstream/ngx_http_segments_sent.h"


static ngx_int_t ngx_http_segments_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_segments_local_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_let_pass(ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_upstream_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_clean_headers(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static void ngx_http_segments_clean_text(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t ngx_http_segments_unreadable(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_unauthorized(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_replace(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


ngx_int_t
ngx_http_segments_filter_init(ngx_conf_t *cf)
{
    ngx_http_segments_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_segments_header_filter;

    ngx_http_segments_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_segments_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_header_filter(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (!slcf->enable || r != r->main) {
        return ngx_http_segments_next_header_filter(r);
    }

    /* "return" and the like: an answer, and none of ours */

    if (ngx_http_get_module_ctx(r, ngx_http_segments_module) == NULL
        && r->headers_out.status < NGX_HTTP_BAD_REQUEST)
    {
        return ngx_http_segments_next_header_filter(r);
    }

    ctx = ngx_http_segments_need_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    switch (ctx->state) {

    case ngx_http_segments_replied:
        return ngx_http_segments_next_header_filter(r);

    case ngx_http_segments_forward:

        /* nginx' own errors come here when the upstream's connection is gone */

        if (r->upstream && r->upstream->peer.connection) {
            rc = ngx_http_segments_upstream_header(r, ctx);

            if (rc == NGX_ERROR || rc > NGX_OK) {
                ngx_http_segments_abandon(r);
            }

            return rc;
        }

        /* fall through */

    default:
        return ngx_http_segments_local_header(r, ctx);
    }
}


static ngx_int_t
ngx_http_segments_local_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_uint_t  status;

    if (ctx->sample) {
        ngx_http_segments_sample_cut(ctx->sample);
    }

    status = r->headers_out.status;

    if (status < NGX_HTTP_BAD_REQUEST) {
        ngx_http_segments_let_pass(ctx);
        return ngx_http_segments_next_header_filter(r);
    }

    ngx_http_segments_set_outcome(ctx,
            ctx->state == ngx_http_segments_forward
            ? ngx_http_segments_upstream_failed
            : status < NGX_HTTP_INTERNAL_SERVER_ERROR
            ? ngx_http_segments_refused : ngx_http_segments_failed);

    sg_buf_free(&ctx->envelope);
    sg_envelope_for_status(&ctx->envelope, status);

    if (ngx_http_segments_replace(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->claim && ctx->state == ngx_http_segments_forward) {
        ngx_http_segments_enter(ctx, ngx_http_segments_capture);
        return NGX_OK;
    }

    if (ngx_http_segments_add_status(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_segments_let_pass(ctx);

    return ngx_http_segments_next_header_filter(r);
}


static void
ngx_http_segments_let_pass(ngx_http_segments_ctx_t *ctx)
{
    switch (ctx->state) {

    /* it was not nginx that failed */

    case ngx_http_segments_admit:
    case ngx_http_segments_await:
    case ngx_http_segments_spend:
        ngx_http_segments_enter(ctx, ngx_http_segments_replied);
        break;

    /* another answer took the place of one that a filter behind us refused */

    case ngx_http_segments_pass:
        break;

    default:
        ngx_http_segments_enter(ctx, ngx_http_segments_pass);
    }
}


static ngx_int_t
ngx_http_segments_upstream_header(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_loc_conf_t  *slcf;

    ctx->answered = 1;
    ctx->upstream_status = r->headers_out.status;

    ngx_http_segments_set_outcome(ctx, ngx_http_segments_forwarded);

    r->filter_need_in_memory = 1;

    ngx_http_segments_clean_headers(r, ctx);

    if (ctx->upstream_status < NGX_HTTP_OK) {
        return ngx_http_segments_unreadable(r, ctx);
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (slcf->drift.sample) {
        ctx->sample = ngx_http_segments_sample(r, &slcf->drift,
                                               ctx->route.operation);
    }

    if (sg_answer_is_unauthorized(ctx->upstream_status)
        && ngx_http_segments_unauthorized(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->claim) {
        return ngx_http_segments_capture_header(r, ctx);
    }

    if (ngx_http_segments_add_status(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_segments_enter(ctx, ngx_http_segments_pass);

    return ngx_http_segments_next_header_filter(r);
}


/* what must not leave, whoever put it there */

static void
ngx_http_segments_clean_headers(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    sg_str_t          name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_http_segments_clean_text(r, ctx, &r->headers_out.status_line);
    ngx_http_segments_clean_text(r, ctx, &r->headers_out.content_type);

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            name = ngx_http_segments_text(&h[i].key);

            if (sg_response_header_dropped(name)) {
                h[i].hash = 0;
                continue;
            }

            if (ngx_http_segments_redacted(&ctx->masks, &h[i].key)
                || ngx_http_segments_redacted(&ctx->masks, &h[i].value))
            {
                ngx_log_error(NGX_LOG_ERR,
                              ngx_redis_tally(r->connection->log), 0,
                              "upstream sent the Secret Key back in header "
                              "\"%V\", which is dropped", &h[i].key);

                h[i].hash = 0;

                if (r->headers_out.location == &h[i]) {
                    r->headers_out.location = NULL;
                }
            }
        }
    }
}


/*
 * What is no HTTP is an answer of HTTP/0.9 to proxy_pass, which logged it; an
 * older one also takes an interim answer for the final.  The upstream is left,
 * and nginx' own 502 comes through here again.
 */

static ngx_int_t
ngx_http_segments_unreadable(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ctx->upstream_status = 0;

    r->http_version = ctx->http_version;

    ngx_http_clean_header(r);

    return NGX_HTTP_BAD_GATEWAY;
}


/* kept apart from the list, with nothing that could be dropped */

static void
ngx_http_segments_clean_text(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *text)
{
    if (ngx_http_segments_redacted(&ctx->masks, text)) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "upstream sent the Secret Key back in \"%V\", "
                      "where it is masked", text);
    }
}


/* some clients stop all traffic after one such status: it is not their fault */

static ngx_int_t
ngx_http_segments_unauthorized(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                  "upstream refused the Secret Key or the project's plan "
                  "with status %ui", ctx->upstream_status);

    ngx_http_segments_set_outcome(ctx, ngx_http_segments_upstream_unauthorized);

    ngx_http_clean_header(r);

    r->headers_out.status = NGX_HTTP_BAD_GATEWAY;

    sg_buf_free(&ctx->envelope);
    sg_envelope(&ctx->envelope, "internal", "upstream_unauthorized",
                "The gateway is not authorized by the upstream", NULL);

    return ngx_http_segments_replace(r, ctx);
}


/* the envelope will stand for the body that comes behind this header */

static ngx_int_t
ngx_http_segments_replace(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    if (ctx->envelope.failed) {
        return NGX_ERROR;
    }

    ctx->replaced = 1;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;

    r->headers_out.content_length_n = ctx->envelope.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                 rc;
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx == NULL || r != r->main) {
        return ngx_http_segments_next_body_filter(r, in);
    }

    if (ctx->sample) {
        ngx_http_segments_sample_body(ctx->sample, in);
    }

    switch (ctx->state) {

    case ngx_http_segments_capture:

        rc = ngx_http_segments_capture_body(r, ctx, in);

        if (rc == NGX_ERROR) {
            ngx_http_segments_abandon(r);
        }

        return rc;

    case ngx_http_segments_settle:
        return ngx_http_segments_hold(r, ctx, in);

    case ngx_http_segments_release:
        return ngx_http_segments_send_held(r, ctx, in);

    case ngx_http_segments_pass:
    case ngx_http_segments_replied:
        return ngx_http_segments_send_body(r, ctx, in);

    default:
        return ngx_http_segments_next_body_filter(r, in);
    }
}
