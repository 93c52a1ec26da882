
/*
 * While nothing works, a command fails at once instead of by its deadline.
 * That something works again is found out by the node, which goes on
 * connecting, or where it is connected, and silent, by probes, for which the
 * timer here is: no caller waits for either.
 */


#include "redis/transport/ngx_redis_breaker.h"


void
ngx_redis_breaker_init(ngx_redis_breaker_t *breaker,
    ngx_event_handler_pt handler, void *data, ngx_log_t *log)
{
    ngx_event_t  *timer;

    timer = &breaker->timer;

    timer->handler = handler;
    timer->data = data;
    timer->log = log;
    timer->cancelable = 1;
}


void
ngx_redis_breaker_end(ngx_redis_breaker_t *breaker)
{
    if (breaker->timer.timer_set) {
        ngx_del_timer(&breaker->timer);
    }
}


ngx_uint_t
ngx_redis_breaker_refuses(ngx_redis_breaker_t *breaker,
    const ngx_redis_options_t *options)
{
    if (options->failures == 0) {
        return 0;
    }

    breaker->failures = options->failures;
    breaker->retry = options->retry;
    breaker->timeout = options->timeout;

    return breaker->open;
}


ngx_uint_t
ngx_redis_breaker_failed(ngx_redis_breaker_t *breaker)
{
    /*
     * The time is that of the event loop's turn: deadlines that end in the
     * same one are one sign, and it may be the worker that is late
     */

    if (breaker->failed && breaker->moment == ngx_current_msec) {
        return 0;
    }

    breaker->failed++;
    breaker->moment = ngx_current_msec;

    if (breaker->open
        || breaker->failures == 0
        || breaker->failed < breaker->failures)
    {
        return 0;
    }

    breaker->open = 1;

    ngx_log_error(NGX_LOG_WARN, breaker->timer.log, 0,
                  "redis failed %ui times in a row, the breaker opens",
                  breaker->failed);

    ngx_add_timer(&breaker->timer, breaker->retry);

    return 1;
}


void
ngx_redis_breaker_answered(ngx_redis_breaker_t *breaker)
{
    breaker->failed = 0;

    if (!breaker->open) {
        return;
    }

    breaker->open = 0;

    ngx_log_error(NGX_LOG_NOTICE, breaker->timer.log, 0,
                  "redis answers again, the breaker closes");

    if (breaker->timer.timer_set) {
        ngx_del_timer(&breaker->timer);
    }
}
