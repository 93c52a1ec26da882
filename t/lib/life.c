
/*
 * Takes each step that a request's life might have, and says those that are no
 * alert.  SOURCE is ngx_http_segments_state.c, or a copy of it.
 */


#include SOURCE

#include <stdio.h>


static unsigned  alerts;


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) log;
    (void) err;
    (void) fmt;

    alerts += (level == NGX_LOG_ALERT);
}


int
main(void)
{
    unsigned                    from, to, n;
    ngx_log_t                   log;
    ngx_connection_t            c;
    ngx_http_request_t          r;
    ngx_http_segments_ctx_t     ctx;

    memset(&log, 0, sizeof(log));
    memset(&c, 0, sizeof(c));
    memset(&r, 0, sizeof(r));
    memset(&ctx, 0, sizeof(ctx));

    log.log_level = NGX_LOG_ALERT;
    c.log = &log;
    r.connection = &c;
    ctx.request = &r;

    n = sizeof(ngx_http_segments_states) / sizeof(ngx_http_segments_states[0]);

    for (from = 0; from < n; from++) {
        for (to = 0; to < n; to++) {

            alerts = 0;
            ctx.state = from;

            ngx_http_segments_enter(&ctx, to);

            if (alerts == 0 && ctx.state == to) {
                printf("%s -> %s\n", ngx_http_segments_states[from],
                       ngx_http_segments_states[to]);
            }
        }
    }

    return 0;
}
