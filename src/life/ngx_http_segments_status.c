
/*
 * How a request has ended.
 */


#include "life/ngx_http_segments_status.h"
#include "life/ngx_http_segments_conf.h"
#include "limit/ngx_http_segments_limit_fields.h"
#include "message/ngx_http_segments_field.h"


static ngx_uint_t ngx_http_segments_tells_limits(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


void
ngx_http_segments_set_outcome(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_outcome_e outcome)
{
    /* that Redis was left out says more than that there is an answer */

    if (outcome == ngx_http_segments_forwarded
        && ctx->outcome == ngx_http_segments_bypassed)
    {
        return;
    }

    ctx->outcome = outcome;
}


void
ngx_http_segments_set_idempotency_status(ngx_http_segments_ctx_t *ctx,
    const char *status)
{
    ctx->idempotency_status = status;
}


ngx_int_t
ngx_http_segments_add_status(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_str_t  value;

    static ngx_str_t  name = ngx_string("Idempotency-Status");

    if (ngx_http_segments_tells_limits(r, ctx)
        && ngx_http_segments_add_limits(r, ctx->limits) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->idempotency_status == NULL) {
        return NGX_OK;
    }

    value.data = (u_char *) ctx->idempotency_status;
    value.len = ngx_strlen(ctx->idempotency_status);

    return ngx_http_segments_add_header(r, &name, &value) ? NGX_OK : NGX_ERROR;
}


static ngx_uint_t
ngx_http_segments_tells_limits(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    /* a dry run is nothing that a client could heed */

    if (ctx->limits == NULL || slcf->limit.dry_run) {
        return 0;
    }

    switch (ctx->outcome) {

    case ngx_http_segments_replayed:
    case ngx_http_segments_answer_not_kept:
    case ngx_http_segments_rate_limited:
        return 1;

    default:
        return ctx->upstream_status != 0;
    }
}
