
/*
 * How a request has ended.
 */


#include "life/ngx_http_segments_status.h"


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
