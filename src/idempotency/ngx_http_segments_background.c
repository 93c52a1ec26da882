
/*
 * Claims that go on without a request: not too many, nor too much.
 */


#include "idempotency/ngx_http_segments_background.h"
#include "metrics/ngx_http_segments_gauge.h"
#include "redis/ngx_redis.h"


/* claims of one worker that go on without a request, and the bytes of answers
   that they hold together */
#define NGX_HTTP_SEGMENTS_BACKGROUND_MAX    1000
#define NGX_HTTP_SEGMENTS_BACKGROUND_BYTES  (64 * 1024 * 1024)


/* of this worker */
static ngx_uint_t  ngx_http_segments_background;
static size_t      ngx_http_segments_background_bytes;


ngx_int_t
ngx_http_segments_background_enter(size_t held)
{
    if (ngx_http_segments_background == NGX_HTTP_SEGMENTS_BACKGROUND_MAX) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "%ui claims are waiting for Redis already, "
                      "one more is left to its lease",
                      ngx_http_segments_background);
        return NGX_DECLINED;
    }

    if (held > NGX_HTTP_SEGMENTS_BACKGROUND_BYTES
               - ngx_http_segments_background_bytes)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(ngx_cycle->log), 0,
                      "%uz bytes of answers are waiting for Redis already, "
                      "%uz more are left to their claim's lease",
                      ngx_http_segments_background_bytes, held);
        return NGX_DECLINED;
    }

    ngx_http_segments_background++;
    ngx_http_segments_background_bytes += held;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_background,
                                ngx_http_segments_background);

    return NGX_OK;
}


void
ngx_http_segments_background_leave(size_t held)
{
    ngx_http_segments_background--;
    ngx_http_segments_background_bytes -= held;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_background,
                                ngx_http_segments_background);
}
