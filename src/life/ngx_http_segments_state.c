
/*
 * The steps of a request's life.
 */


#include "life/ngx_http_segments_life.h"


#define ngx_http_segments_to(state)  (1 << ngx_http_segments_##state)


static const char  *ngx_http_segments_states[] = {
    [ngx_http_segments_start] = "start",
    [ngx_http_segments_read] = "read",
    [ngx_http_segments_admit] = "admit",
    [ngx_http_segments_await] = "await",
    [ngx_http_segments_spend] = "spend",
    [ngx_http_segments_forward] = "forward",
    [ngx_http_segments_capture] = "capture",
    [ngx_http_segments_settle] = "settle",
    [ngx_http_segments_release] = "release",
    [ngx_http_segments_pass] = "pass",
    [ngx_http_segments_replied] = "replied"
};


static const ngx_uint_t  ngx_http_segments_steps[] = {

    [ngx_http_segments_start] =
        ngx_http_segments_to(read)
        |ngx_http_segments_to(pass)             /* nginx itself refuses it */
        |ngx_http_segments_to(replied),

    [ngx_http_segments_read] =
        ngx_http_segments_to(admit)
        |ngx_http_segments_to(spend)            /* without a key */
        |ngx_http_segments_to(forward)          /* without limits, too */
        |ngx_http_segments_to(pass)             /* the body is too large */
        |ngx_http_segments_to(replied),

    [ngx_http_segments_admit] =
        ngx_http_segments_to(await)
        |ngx_http_segments_to(spend)
        |ngx_http_segments_to(forward)
        |ngx_http_segments_to(replied),

    [ngx_http_segments_await] =
        ngx_http_segments_to(admit)             /* asks again */
        |ngx_http_segments_to(replied),         /* it took too long */

    [ngx_http_segments_spend] =
        ngx_http_segments_to(spend)             /* a trip for each slot */
        |ngx_http_segments_to(forward)
        |ngx_http_segments_to(replied),

    [ngx_http_segments_forward] =
        ngx_http_segments_to(capture)
        |ngx_http_segments_to(pass),            /* without a claim */

    [ngx_http_segments_capture] =
        ngx_http_segments_to(forward)           /* cut: nginx' 502 follows */
        |ngx_http_segments_to(settle),

    [ngx_http_segments_settle] =
        ngx_http_segments_to(release),

    [ngx_http_segments_release] =
        ngx_http_segments_to(pass),

    [ngx_http_segments_pass] = 0,

    [ngx_http_segments_replied] = 0
};


void
ngx_http_segments_enter(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_state_e state)
{
    ngx_log_t  *log;

    log = ctx->request->connection->log;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, log, 0, "segments state %s -> %s",
                   ngx_http_segments_states[ctx->state],
                   ngx_http_segments_states[state]);

    if (!(ngx_http_segments_steps[ctx->state] & ((ngx_uint_t) 1 << state))) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "a request in state \"%s\" cannot come to \"%s\"",
                      ngx_http_segments_states[ctx->state],
                      ngx_http_segments_states[state]);
    }

    ctx->state = state;
}
