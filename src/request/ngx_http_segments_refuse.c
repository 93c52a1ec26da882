
/*
 * The gateway's own refusals.
 */


#include "request/ngx_http_segments_refuse.h"
#include "contract/sg_envelope.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_status.h"
#include "limit/ngx_http_segments_limit_names.h"
#include "message/ngx_http_segments_field.h"
#include "message/ngx_http_segments_text.h"
#include "request/ngx_http_segments_reply.h"


typedef struct {
    ngx_uint_t                     status;
    ngx_http_segments_outcome_e    outcome;
    const char                    *type;
    const char                    *code;
    const char                    *message;
    const char                    *idempotency_status;
} ngx_http_segments_refusal_t;


static const ngx_http_segments_refusal_t  ngx_http_segments_refusals[] = {

    [ngx_http_segments_refuse_path] =
    { NGX_HTTP_NOT_FOUND, ngx_http_segments_not_found,
      "request", "invalid_request",
      "Unrecognized request URL", NULL },

    [ngx_http_segments_refuse_id] =
    { NGX_HTTP_NOT_FOUND, ngx_http_segments_not_found,
      "resource", "not_found",
      "No such segment", NULL },

    [ngx_http_segments_refuse_method] =
    { NGX_HTTP_NOT_ALLOWED, ngx_http_segments_not_allowed,
      "request", "invalid_request",
      "Method not allowed", NULL },

    [ngx_http_segments_refuse_content_type] =
    { NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, ngx_http_segments_bad_content_type,
      "request", "invalid_content",
      "Content-Type must be application/json", NULL },

    [ngx_http_segments_refuse_content_coding] =
    { NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, ngx_http_segments_bad_content_type,
      "request", "invalid_content",
      "Content-Encoding is not supported", NULL },

    [ngx_http_segments_refuse_query] =
    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_invalid,
      "request", "invalid_data",
      "Validation failed", NULL },

    [ngx_http_segments_refuse_key] =
    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_key_invalid,
      "request", "idempotency_key_invalid",
      "Idempotency-Key must be one string of 1 to 255 visible characters",
      NULL },

    [ngx_http_segments_refuse_no_key] =
    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_key_required,
      "request", "idempotency_key_required",
      "Idempotency-Key is required", NULL },

    [ngx_http_segments_refuse_unexpected_body] =
    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_invalid,
      "request", "invalid_data",
      "This request must not have a body", NULL },

    [ngx_http_segments_refuse_body] =
    { NGX_HTTP_BAD_REQUEST, ngx_http_segments_invalid,
      "request", "invalid_data",
      "Validation failed", NULL },

    [ngx_http_segments_refuse_in_progress] =
    { NGX_HTTP_CONFLICT, ngx_http_segments_in_progress,
      "request", "idempotency_in_progress",
      "A request with this Idempotency-Key is in progress", "in-progress" },

    [ngx_http_segments_refuse_reused] =
    { NGX_HTTP_SEGMENTS_UNPROCESSABLE, ngx_http_segments_key_reused,
      "request", "idempotency_key_reused",
      "This Idempotency-Key was used for another request", "mismatch" },

    [ngx_http_segments_refuse_buried] =
    { NGX_HTTP_CONFLICT, ngx_http_segments_answer_not_kept,
      "resource", "idempotency_answer_not_kept",
      NULL, "replayed" },

    [ngx_http_segments_refuse_held] =
    { NGX_HTTP_GATEWAY_TIME_OUT, ngx_http_segments_held,
      "internal", "idempotency_outcome_unknown",
      "The outcome of the first request with this Idempotency-Key is unknown",
      "held" },

    [ngx_http_segments_refuse_limited] =
    { NGX_HTTP_TOO_MANY_REQUESTS, ngx_http_segments_rate_limited,
      "request", "rate_limit_exceeded",
      "The rate limit is exceeded", NULL },

    [ngx_http_segments_refuse_redis] =
    { NGX_HTTP_SERVICE_UNAVAILABLE, ngx_http_segments_redis_failed,
      "internal", "storage_error",
      "The gateway's storage is unavailable, try again", NULL }
};


static ngx_int_t ngx_http_segments_add_allow(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_add_retry_after(ngx_http_request_t *r,
    ngx_uint_t seconds);


ngx_int_t
ngx_http_segments_refuse(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_refusal_e refusal, const sg_errors_t *errors)
{
    u_char                              text[NGX_INT_T_LEN + 96];
    u_char                              room[512];
    sg_buf_t                            envelope;
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

    case ngx_http_segments_refuse_limited:
        rc = ngx_http_segments_add_retry_after(r,
                                  ngx_http_segments_limits_reset(ctx->limits));
        break;

    case ngx_http_segments_refuse_in_progress:  /* the answer may come at any
                                                   moment */
    case ngx_http_segments_refuse_redis:
        rc = ngx_http_segments_add_retry_after(r, 1);
        break;

    case ngx_http_segments_refuse_buried:
        (void) ngx_snprintf(text, sizeof(text),
                            "The first answer had status %ui and was too large "
                            "to keep%Z", ctx->status);
        message = (const char *) text;
        rc = ngx_http_segments_add_replayed(r);
        break;

    default:
        break;
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sg_buf_init_room(&envelope, room, sizeof(room));
    sg_envelope(&envelope, rf->type, rf->code, message, errors);

    if (ngx_http_segments_take(r->pool, &body, &envelope) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

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
