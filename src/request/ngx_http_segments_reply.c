
/*
 * The gateway's own answers: refusals and replays.
 */


#include "contract/sg_envelope.h"
#include "contract/sg_record.h"
#include "life/ngx_http_segments_status.h"


/* RFC 9110, 15.5.21; nginx has no name for it, nor a reason phrase */
#define NGX_HTTP_SEGMENTS_UNPROCESSABLE  422


typedef struct {
    ngx_uint_t                     status;
    ngx_http_segments_outcome_e    outcome;
    const char                    *type;
    const char                    *code;
    const char                    *message;
    const char                    *idempotency_status;
} ngx_http_segments_refusal_t;


static ngx_int_t ngx_http_segments_add_allow(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_add_retry_after(ngx_http_request_t *r,
    ngx_uint_t seconds);
static ngx_int_t ngx_http_segments_add_replayed(ngx_http_request_t *r);
static ngx_uint_t ngx_http_segments_status(ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_send(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *body);


/* in the order of ngx_http_segments_refusal_e */

static const ngx_http_segments_refusal_t  ngx_http_segments_refusals[] = {

    { NGX_HTTP_NOT_FOUND, ngx_http_segments_not_found,
      "request", "invalid_request",
      "Unrecognized request URL", NULL },

    { NGX_HTTP_NOT_FOUND, ngx_http_segments_not_found,
      "resource", "not_found",
      "No such segment", NULL },

    { NGX_HTTP_NOT_ALLOWED, ngx_http_segments_not_allowed,
      "request", "invalid_request",
      "Method not allowed", NULL },

    { NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, ngx_http_segments_bad_content_type,
      "request", "invalid_content",
      "Content-Type must be application/json", NULL },

    { NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, ngx_http_segments_bad_content_type,
      "request", "invalid_content",
      "Content-Encoding is not supported", NULL },

    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_invalid,
      "request", "invalid_data",
      "Validation failed", NULL },

    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_key_invalid,
      "request", "idempotency_key_invalid",
      "Idempotency-Key must be one string of 1 to 255 visible characters",
      NULL },

    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_key_required,
      "request", "idempotency_key_required",
      "Idempotency-Key is required", NULL },

    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_invalid,
      "request", "invalid_data",
      "This request must not have a body", NULL },

    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_invalid,
      "request", "invalid_data",
      "Validation failed", NULL },

    { NGX_HTTP_CONFLICT, ngx_http_segments_in_progress,
      "request", "idempotency_in_progress",
      "A request with this Idempotency-Key is in progress", "in-progress" },

    { NGX_HTTP_SEGMENTS_UNPROCESSABLE, ngx_http_segments_key_reused,
      "request", "idempotency_key_reused",
      "This Idempotency-Key was used for another request", "mismatch" },

    { NGX_HTTP_CONFLICT, ngx_http_segments_answer_not_kept,
      "resource", "idempotency_answer_not_kept",
      NULL, "replayed" },

    { NGX_HTTP_GATEWAY_TIME_OUT, ngx_http_segments_held,
      "internal", "idempotency_outcome_unknown",
      "The outcome of the first request with this Idempotency-Key is unknown",
      "held" },

    { NGX_HTTP_TOO_MANY_REQUESTS, ngx_http_segments_rate_limited,
      "request", "rate_limit_exceeded",
      "The rate limit is exceeded", NULL },

    { NGX_HTTP_SERVICE_UNAVAILABLE, ngx_http_segments_redis_failed,
      "internal", "storage_error",
      "The gateway's storage is unavailable, try again", NULL }
};


ngx_int_t
ngx_http_segments_refuse(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_refusal_e refusal, const sg_errors_t *errors)
{
    u_char                              text[NGX_INT_T_LEN + 96];
    ngx_str_t                           body;
    ngx_int_t                           rc;
    const char                         *message;
    const ngx_http_segments_refusal_t  *rf;

    rf = &ngx_http_segments_refusals[refusal];
    message = rf->message;
    rc = NGX_OK;

    ngx_http_segments_set_outcome(ctx, rf->outcome);
    ngx_http_segments_set_idempotency_status(ctx, rf->idempotency_status);

    switch (refusal) {

    case ngx_http_segments_refuse_method:
        rc = ngx_http_segments_add_allow(r, ctx);
        break;

    case ngx_http_segments_refuse_in_progress:
        rc = ngx_http_segments_add_retry_after(r, (ctx->left + 999) / 1000);
        break;

    case ngx_http_segments_refuse_limited:
        rc = ngx_http_segments_add_retry_after(r,
                                  ngx_http_segments_limits_reset(ctx->limits));
        break;

    case ngx_http_segments_refuse_redis:
        rc = ngx_http_segments_add_retry_after(r, 1);
        break;

    case ngx_http_segments_refuse_buried:
        (void) ngx_snprintf(text, sizeof(text),
                            "The first answer had status %ui and was too large "
                            "to keep%Z", ngx_http_segments_status(ctx));
        message = (const char *) text;
        rc = ngx_http_segments_add_replayed(r);
        break;

    default:
        break;
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sg_buf_free(&ctx->envelope);
    sg_envelope(&ctx->envelope, rf->type, rf->code, message, errors);

    if (ctx->envelope.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = ctx->envelope.data;
    body.len = ctx->envelope.len;

    r->headers_out.status = rf->status;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_segments_send(r, ctx, &body);
}


static ngx_int_t
ngx_http_segments_add_allow(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    sg_buf_t                       allow;
    ngx_str_t                      value;
    ngx_http_segments_loc_conf_t  *slcf;

    static ngx_str_t  name = ngx_string("Allow");

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    sg_buf_init(&allow);
    sg_route_allow(&allow, ctx->route.path_ops & slcf->operations);

    if (ngx_http_segments_take(r->pool, &value, &allow) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_segments_add_header(r, &name, &value) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_segments_add_retry_after(ngx_http_request_t *r, ngx_uint_t seconds)
{
    ngx_str_t  value;

    static ngx_str_t  name = ngx_string("Retry-After");

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", ngx_max(seconds, 1))
                - value.data;

    return ngx_http_segments_add_header(r, &name, &value) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_segments_add_replayed(ngx_http_request_t *r)
{
    static ngx_str_t  name = ngx_string("Idempotent-Replayed");
    static ngx_str_t  value = ngx_string("true");

    return ngx_http_segments_add_header(r, &name, &value) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_segments_replay(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_uint_t  status;

    status = ngx_http_segments_status(ctx);

    if (status == 0
        || ngx_http_segments_restore_headers(r, &ctx->headers) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "the stored answer of a record cannot be read");

        /* what is known of it is not enough to run the request again */

        ngx_http_clean_header(r);

        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_redis,
                                        NULL);
    }

    ngx_http_segments_set_outcome(ctx, ngx_http_segments_replayed);
    ngx_http_segments_set_idempotency_status(ctx, "replayed");

    r->headers_out.status = status;

    if (ngx_http_segments_add_replayed(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_segments_send(r, ctx, &ctx->body);
}


/* of the stored answer; 0 when it cannot be read */

static ngx_uint_t
ngx_http_segments_status(ngx_http_segments_ctx_t *ctx)
{
    sg_str_t  text;

    text = ngx_http_segments_text(&ctx->status);

    return sg_record_status(text);
}


static ngx_int_t
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
