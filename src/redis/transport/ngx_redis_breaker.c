
/*
 * While nothing works, a command fails at once instead of by its deadline.
 * That something works again is found out by the node, which goes on
 * connecting, or where it is connected, and silent, by probes of the breaker's
 * own: no caller waits for either.
 */


#include "redis/conf/ngx_redis_internal.h"


static void ngx_redis_breaker_handler(ngx_event_t *ev);
static void ngx_redis_breaker_probed(void *data, ngx_int_t rc,
    const redisReply *reply);


void
ngx_redis_breaker_init(ngx_redis_node_t *node)
{
    ngx_event_t  *timer;

    timer = &node->breaker.timer;

    timer->handler = ngx_redis_breaker_handler;
    timer->data = node;
    timer->log = &node->log;
    timer->cancelable = 1;
}


void
ngx_redis_breaker_destroy(ngx_redis_node_t *node)
{
    if (node->breaker.probe) {
        (void) ngx_redis_cancel(node->breaker.probe);
        node->breaker.probe = NULL;
    }

    if (node->breaker.timer.timer_set) {
        ngx_del_timer(&node->breaker.timer);
    }
}


ngx_uint_t
ngx_redis_breaker_refuses(ngx_redis_node_t *node,
    const ngx_redis_options_t *options)
{
    ngx_redis_breaker_t  *breaker;

    if (options->failures == 0) {
        return 0;
    }

    breaker = &node->breaker;

    breaker->failures = options->failures;
    breaker->retry = options->retry;
    breaker->timeout = options->timeout;

    return breaker->open;
}


void
ngx_redis_breaker_failed(ngx_redis_node_t *node)
{
    ngx_redis_breaker_t  *breaker;

    breaker = &node->breaker;

    /*
     * The time is that of the event loop's turn: deadlines that end in the
     * same one are one sign, and it may be the worker that is late
     */

    if (breaker->failed && breaker->moment == ngx_current_msec) {
        return;
    }

    breaker->failed++;
    breaker->moment = ngx_current_msec;

    if (breaker->open
        || breaker->failures == 0
        || breaker->failed < breaker->failures)
    {
        return;
    }

    breaker->open = 1;

    ngx_log_error(NGX_LOG_WARN, &node->log, 0,
                  "redis failed %ui times in a row, the breaker opens",
                  breaker->failed);

    ngx_add_timer(&breaker->timer, breaker->retry);

    ngx_redis_node_wake(node);
}


void
ngx_redis_breaker_answered(ngx_redis_node_t *node)
{
    ngx_redis_breaker_t  *breaker;

    breaker = &node->breaker;

    breaker->failed = 0;

    if (!breaker->open) {
        return;
    }

    breaker->open = 0;

    ngx_log_error(NGX_LOG_NOTICE, &node->log, 0,
                  "redis answers again, the breaker closes");

    if (breaker->timer.timer_set) {
        ngx_del_timer(&breaker->timer);
    }
}


static void
ngx_redis_breaker_handler(ngx_event_t *ev)
{
    ngx_redis_node_t *node = ev->data;

    ngx_redis_breaker_t  *breaker;

    static const char    *ping[] = { "PING" };

    breaker = &node->breaker;

    if (ngx_exiting) {
        return;
    }

    if (breaker->probe == NULL && node->state == ngx_redis_node_ready) {
        breaker->probe = ngx_redis_send_words(node, ping, 1, breaker->timeout,
                                              ngx_redis_breaker_probed, node);
    }

    ngx_add_timer(ev, breaker->retry);
}


/* whoever has called has told the breaker */

static void
ngx_redis_breaker_probed(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_node_t *node = data;

    node->breaker.probe = NULL;
}
