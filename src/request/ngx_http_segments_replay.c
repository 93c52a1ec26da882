
/*
 * A stored answer, once more.
 */


#include "request/ngx_http_segments_replay.h"
#include "idempotency/ngx_http_segments_stored.h"
#include "life/ngx_http_segments_status.h"
#include "request/ngx_http_segments_refuse.h"
#include "request/ngx_http_segments_reply.h"


ngx_int_t
ngx_http_segments_replay(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    if (ngx_http_segments_restore_headers(r, &ctx->headers) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "the stored answer of a record cannot be read");

        /* what is known of it is not enough to run the request again */

        ngx_http_clean_header(r);

        return ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_redis,
                                        NULL);
    }

    ngx_http_segments_set_outcome(ctx, ngx_http_segments_replayed);
    ngx_http_segments_set_idempotency_status(ctx, "replayed");

    r->headers_out.status = ctx->status;

    if (ngx_http_segments_add_replayed(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_segments_send(r, ctx, &ctx->body);
}
