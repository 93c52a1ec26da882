
#include "redis/conf/ngx_redis_internal.h"


/* Seconds of an idle connection until its first probe and between two, and how
   many without an answer end it. */
#define NGX_REDIS_KEEPIDLE        10
#define NGX_REDIS_KEEPINTVL       3
#define NGX_REDIS_KEEPCNT         3


static void ngx_redis_node_handler(ngx_event_t *ev);
static ngx_uint_t ngx_redis_node_wanted(ngx_redis_node_t *node);
static void ngx_redis_node_connect(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_node_test_connect(ngx_connection_t *c);
static void ngx_redis_node_keepalive(ngx_connection_t *c);
static void ngx_redis_node_next(ngx_redis_node_t *node);
static u_char *ngx_redis_node_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


ngx_redis_node_t *
ngx_redis_node_create(ngx_redis_t *redis, ngx_redis_host_t *hosts,
    ngx_uint_t nhosts, ngx_redis_greeting_t *greeting)
{
    ngx_redis_node_t  *node;

    node = ngx_calloc(sizeof(ngx_redis_node_t), ngx_cycle->log);
    if (node == NULL) {
        return NULL;
    }

    node->redis = redis;
    node->ident = -1;

    ngx_queue_init(&node->sent);
    ngx_queue_init(&node->waiting);
    ngx_queue_init(&node->held);
    ngx_queue_init(&node->siblings);

    node->log = *ngx_cycle->log;
    node->log.handler = ngx_redis_node_log_error;
    node->log.data = node;
    ngx_redis_tally_node(node);

    node->backoff.handler = ngx_redis_node_handler;
    node->backoff.data = node;
    node->backoff.log = &node->log;
    node->backoff.cancelable = 1;

    node->work.handler = ngx_redis_node_handler;
    node->work.data = node;
    node->work.log = &node->log;

    ngx_redis_breaker_init(node);
    ngx_redis_spare_init(node);

    node->hosts = hosts;
    node->nhosts = nhosts;

    node->greeter = greeting;
    node->greeting.temporary = 1;
    node->greeting.flush = 1;
    node->greeting_link.buf = &node->greeting;

    return node;
}


void
ngx_redis_node_destroy(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    ngx_redis_breaker_destroy(node);
    ngx_redis_node_close(node);
    ngx_redis_resolve_forget(node);
    ngx_redis_tls_forget(node);
    ngx_redis_host_free(&node->own);

    while (!ngx_queue_empty(&node->waiting)) {
        q = ngx_queue_head(&node->waiting);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        ngx_redis_command_free(cmd);
    }

    if (node->backoff.timer_set) {
        ngx_del_timer(&node->backoff);
    }

    if (node->work.posted) {
        ngx_delete_posted_event(&node->work);
    }

    ngx_free(node);
}


void
ngx_redis_node_wake(ngx_redis_node_t *node)
{
    /*
     * ngx_posted_events is run last in a turn of the event loop, so that all
     * commands of the turn leave together
     */

    ngx_post_event(&node->work, &ngx_posted_events);
}


void
ngx_redis_node_live(ngx_redis_node_t *node)
{
    if (node->peer.connection) {
        node->peer.connection->idle = (node->live == 0);
    }

    if (node->live == 0 && ngx_exiting) {
        ngx_redis_node_wake(node);
    }
}


static void
ngx_redis_node_handler(ngx_event_t *ev)
{
    ngx_redis_node_t *node = ev->data;

    if (node->principal) {
        ngx_redis_spare_work(node);
        return;
    }

    if (node->retired) {
        ngx_redis_map_evacuate(node);
        return;
    }

    if (node->leaving) {
        node->leaving = 0;

        if (node->state != ngx_redis_node_down) {
            ngx_redis_node_close(node);
            ngx_redis_node_next(node);
        }
    }

    if (node->live == 0 && ngx_exiting) {
        ngx_redis_node_close(node);
        return;
    }

    switch (node->state) {

    case ngx_redis_node_down:

        if (ngx_redis_node_wanted(node) && !node->backoff.timer_set) {
            ngx_redis_node_find(node);
        }

        break;

    case ngx_redis_node_resolving:
    case ngx_redis_node_connecting:
    case ngx_redis_node_securing:
    case ngx_redis_node_greeting:
        break;

    case ngx_redis_node_ready:
        ngx_redis_info_ask(node);
        ngx_redis_ack_queue(node);
        ngx_redis_send(node);
        break;
    }
}


/*
 * A connection that fails is made again at once.  While the breaker is open no
 * command waits, and the connection is what is waited for.
 */

static ngx_uint_t
ngx_redis_node_wanted(ngx_redis_node_t *node)
{
    if (node->nhosts == 0) {
        return 0;
    }

    return node->channel ? ngx_redis_channel_wanted(node->channel)
                         : (!ngx_queue_empty(&node->waiting)
                            || node->breaker.open);
}


ngx_int_t
ngx_redis_node_relocate(ngx_redis_node_t *node,
    const ngx_redis_place_t *place)
{
    ngx_redis_host_t  host;

    if (ngx_redis_host_set(&host, place, &node->log) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_redis_spare_close(node);
    ngx_redis_resolve_forget(node);
    ngx_redis_tls_forget(node);
    ngx_redis_host_free(&node->own);

    node->own = host;
    node->hosts = &node->own;
    node->nhosts = 1;
    node->host = 0;
    node->addr = 0;
    node->tried = 0;
    node->peer.name = NULL;             /* of the old place's memory */

    ngx_redis_node_leave(node);

    return NGX_OK;
}


ngx_int_t
ngx_redis_node_follow(ngx_redis_node_t *node, ngx_redis_node_t *other)
{
    ngx_redis_place_t  place;

    place.host = (const char *) other->own.name.data;
    place.len = other->own.name.len;
    place.port = other->own.port;

    return ngx_redis_node_relocate(node, &place);
}


ngx_uint_t
ngx_redis_node_may_move(ngx_redis_node_t *node)
{
    return node->nhosts > 1
           || node->naddrs > 1
           || (node->redis->resolver && !node->hosts[node->host].literal);
}


void
ngx_redis_node_leave(ngx_redis_node_t *node)
{
    node->leaving = 1;

    ngx_redis_node_wake(node);
}


void
ngx_redis_node_find(ngx_redis_node_t *node)
{
    ngx_redis_host_t  *host;

    host = &node->hosts[node->host];

    if (node->tried == 0 && node->unlucky == 0) {
        ngx_redis_backoff_try(node);
    }

    if (node->tried == 0 && node->redis->resolver && !host->literal) {
        node->log.action = "resolving";
        node->state = ngx_redis_node_resolving;

        ngx_redis_resolve(node);
        return;
    }

    if (node->nresolved == 0) {
        node->addrs = host->addrs;
        node->naddrs = host->naddrs;
    }

    ngx_redis_node_connect(node);
}


void
ngx_redis_node_resolved(ngx_redis_node_t *node)
{
    ngx_redis_host_t  *host;

    node->state = ngx_redis_node_down;

    host = &node->hosts[node->host];

    if (node->nresolved) {
        node->addrs = node->resolved;
        node->naddrs = node->nresolved;

    } else {
        node->addrs = host->addrs;
        node->naddrs = host->naddrs;
    }

    ngx_redis_node_connect(node);
}


static void
ngx_redis_node_connect(ngx_redis_node_t *node)
{
    ngx_int_t               rc;
    ngx_addr_t             *addr;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *pc;

    node->state = ngx_redis_node_connecting;

    if (node->naddrs == 0) {

        /* what the resolver says has been logged */

        if (node->redis->resolver == NULL) {
            ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                          "no address of \"%V\" is known, a resolver might "
                          "help", &node->hosts[node->host].name);
        }

        ngx_redis_node_failed(node);
        return;
    }

    addr = &node->addrs[node->addr % node->naddrs];
    node->log.action = "connecting to";

    pc = &node->peer;
    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &addr->name;
    pc->get = ngx_event_get_peer;
    pc->log = &node->log;
    pc->log_error = NGX_ERROR_ERR;
    pc->so_keepalive = (addr->sockaddr->sa_family != AF_UNIX);

    rc = ngx_event_connect_peer(pc);

    if (node->tried == 0 && node->unlucky == 0) {
        ngx_redis_backoff_tried(node);
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_redis_node_failed(node);
        return;
    }

    c = pc->connection;
    c->data = node;
    c->read->handler = ngx_redis_read_handler;
    c->write->handler = ngx_redis_write_handler;

    if (pc->so_keepalive) {
        ngx_redis_node_keepalive(c);
    }

    node->started = ngx_current_msec;
    node->overdue = 0;
    ngx_redis_node_live(node);

    /* the greeting included */
    ngx_add_timer(c->write, node->connect_timeout);
    node->began = ngx_current_msec;
    node->step = ngx_current_msec;

    if (rc == NGX_OK) {
        ngx_redis_node_connected(node);
    }
}


/*
 * Probes keep a NAT from forgetting the connection, and find out when it has:
 * the system's own begin after two hours.  A command that is not acknowledged
 * is noticed sooner than TCP_USER_TIMEOUT could.
 */

static void
ngx_redis_node_keepalive(ngx_connection_t *c)
{
#if (NGX_HAVE_KEEPALIVE_TUNABLE)

    int         value;
    ngx_uint_t  i;

    static const struct {
        int          name;
        int          value;
        const char  *text;
    } options[] = {
        { TCP_KEEPIDLE, NGX_REDIS_KEEPIDLE, "TCP_KEEPIDLE" },
        { TCP_KEEPINTVL, NGX_REDIS_KEEPINTVL, "TCP_KEEPINTVL" },
        { TCP_KEEPCNT, NGX_REDIS_KEEPCNT, "TCP_KEEPCNT" }
    };

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        value = options[i].value;

#if (NGX_KEEPALIVE_FACTOR)
        if (options[i].name != TCP_KEEPCNT) {
            value *= NGX_KEEPALIVE_FACTOR;
        }
#endif

        if (setsockopt(c->fd, IPPROTO_TCP, options[i].name,
                       (const void *) &value, sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_CRIT, c->log, ngx_socket_errno,
                          "setsockopt(%s) failed, ignored", options[i].text);
            return;
        }
    }

#endif
}


void
ngx_redis_node_connected(ngx_redis_node_t *node)
{
    ngx_connection_t  *c;

    c = node->peer.connection;

    if (ngx_redis_node_test_connect(c) != NGX_OK
        || ngx_tcp_nodelay(c) != NGX_OK)
    {
        ngx_redis_node_failed(node);
        return;
    }

    node->step = ngx_current_msec;
    node->spoke = 0;

    if (!node->redis->secure) {
        ngx_redis_node_secured(node);
        return;
    }

    node->log.action = "TLS handshaking with";
    node->state = ngx_redis_node_securing;

    switch (ngx_redis_tls_start(node)) {

    case NGX_OK:
        ngx_redis_node_secured(node);
        break;

    case NGX_AGAIN:
        break;

    default: /* NGX_ERROR */
        ngx_redis_node_failed(node);
    }
}


void
ngx_redis_node_secured(ngx_redis_node_t *node)
{
    ngx_connection_t  *c;

    c = node->peer.connection;
    node->step = ngx_current_msec;
    node->spoke = 0;            /* of Redis */

    node->reader = ngx_redis_reader_create();
    if (node->reader == NULL) {
        ngx_log_error(NGX_LOG_CRIT, c->log, 0, "redisReaderCreate() failed");
        ngx_redis_node_failed(node);
        return;
    }

    ngx_memzero(&node->sieve, sizeof(ngx_redis_sieve_t));
    node->sieve.max = node->redis->value + NGX_REDIS_VALUE_MARGIN;

    node->log.action = "greeting";

    node->state = ngx_redis_node_greeting;

    if (ngx_redis_greeting_start(node) != NGX_OK) {
        ngx_redis_node_failed(node);
        return;
    }

    ngx_redis_send(node);
}


static ngx_int_t
ngx_redis_node_test_connect(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

#if (NGX_HAVE_KQUEUE)

    if (ngx_event_flags & NGX_USE_KQUEUE_EVENT) {

        if (c->write->pending_eof || c->read->pending_eof) {
            err = c->write->pending_eof ? c->write->kq_errno
                                        : c->read->kq_errno;

            (void) ngx_connection_error(c, err,
                                    "kevent() reported that connect() failed");
            return NGX_ERROR;
        }

        return NGX_OK;
    }

#endif

    err = 0;
    len = sizeof(int);

    /* some systems leave the error in err, others return it */

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_redis_node_greeted(ngx_redis_node_t *node)
{
    ngx_del_timer(node->peer.connection->write);

    ngx_redis_greeting_end(node);
    ngx_redis_tls_overwrite(node->peer.connection);

    node->log.action = "talking to";

    node->tried = 0;
    node->unlucky = 0;
    node->state = ngx_redis_node_ready;
    ngx_redis_spare_heard(node);

    if (node->channel) {
        ngx_redis_channel_subscribed(node->channel);
        return;
    }

    /* one that hangs up on commands has to answer the breaker's own, first */

    if (!node->vain) {
        ngx_redis_breaker_answered(node);
    }

    node->curious = ngx_redis_info_curious(node);

    ngx_redis_node_wake(node);
}


void
ngx_redis_node_close(ngx_redis_node_t *node)
{
    ngx_uint_t         ready;
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    if (node->state == ngx_redis_node_down) {
        return;
    }

    ready = (node->state == ngx_redis_node_ready);

    ngx_redis_spare_close(node);

    if (node->reader) {
        redisReaderFree(node->reader);
        node->reader = NULL;
    }

    ngx_redis_resolve_cancel(node);

    c = node->peer.connection;

    if (c) {
        pool = c->pool;

        ngx_redis_tls_close(c);
        ngx_close_connection(c);

        if (pool) {
            ngx_destroy_pool(pool);
        }
    }

    node->peer.connection = NULL;
    node->state = ngx_redis_node_down;

    ngx_redis_question_lost(node);
    ngx_redis_greeting_end(node);
    ngx_redis_info_cancel(node);
    ngx_redis_ack_cancel(node);
    ngx_redis_node_rewind(node);
    ngx_redis_ack_rewind(node);

    if (ngx_redis_node_wanted(node)) {
        ngx_redis_node_wake(node);
    }

    if (ready && node->channel) {
        ngx_redis_channel_lost(node->channel);
    }
}


void
ngx_redis_node_rewind(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&node->sent)) {
        q = ngx_queue_last(&node->sent);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->handler == NULL) {
            ngx_redis_command_free(cmd);
            continue;
        }

        ngx_redis_command_rewind(cmd);

        ngx_queue_insert_head(&node->waiting, q);
    }
}


void
ngx_redis_node_failed(ngx_redis_node_t *node)
{
    ngx_uint_t  ready;

    ready = (node->state == ngx_redis_node_ready);

    ngx_redis_node_close(node);

    if (node->again) {
        node->again = 0;

        if (node->principal) {
            ngx_redis_node_wake(node);  /* no command waits in a spare one */
        }

        return;
    }

    if (node->redis->map && !node->guide) {
        ngx_redis_map_trouble(node->redis->map);
    }

    if (node->principal) {
        ngx_redis_node_leave(node);
        return;
    }

    if (ready) {

        /* at once, unless Redis keeps hanging up without an answer */

        if (node->failures > 0) {
            node->vain = 1;
            ngx_redis_backoff(node);
        }

        node->failures++;
        return;
    }

    ngx_redis_node_next(node);
}


/* the next address; a pause after the last of them */

static void
ngx_redis_node_next(ngx_redis_node_t *node)
{
    node->addr++;

    if (++node->tried < node->naddrs) {
        ngx_redis_node_wake(node);
        return;
    }

    node->tried = 0;

    if (node->nhosts > 1) {
        node->host = (node->host + 1) % node->nhosts;

        ngx_redis_resolve_forget(node);
        ngx_redis_tls_forget(node);

        if (++node->unlucky < node->nhosts) {
            ngx_redis_node_wake(node);
            return;
        }

        node->unlucky = 0;
    }

    ngx_redis_backoff(node);

    node->failures++;

    ngx_redis_breaker_failed(node);
}


void
ngx_redis_node_timed_out(ngx_redis_node_t *node)
{
    ngx_str_t  step;

    switch (node->state) {

    case ngx_redis_node_securing:

        if (!node->spoke) {
            ngx_log_error(NGX_LOG_ERR, &node->log,
                          NGX_ETIMEDOUT,
                          "redis timed out at TLS without a word: connecting, "
                          "TLS and AUTH together have %M ms, of which %M ms "
                          "had passed before it; a port without TLS is silent, "
                          "too, and a URL for that begins with \"redis\"",
                          node->connect_timeout, node->step - node->began);
            ngx_redis_node_failed(node);
            return;
        }

        ngx_str_set(&step, "TLS");
        break;

    case ngx_redis_node_greeting:
        step = *ngx_redis_greeting_step(node);
        break;

    default: /* ngx_redis_node_connecting */
        ngx_str_set(&step, "connecting");
    }

    ngx_log_error(NGX_LOG_ERR, &node->log, NGX_ETIMEDOUT,
                  "redis timed out at %V: connecting, TLS and AUTH together "
                  "have %M ms, of which %M ms had passed before it",
                  &step, node->connect_timeout, node->step - node->began);

    ngx_redis_node_failed(node);
}


static u_char *
ngx_redis_node_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char            *p;
    ngx_redis_node_t  *node;

    p = buf;
    node = log->data;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s redis node \"%V\"", log->action,
                         &node->redis->name);
        len -= p - buf;
        buf = p;
    }

    if (node->peer.name) {
        p = ngx_snprintf(buf, len, ", peer: %V", node->peer.name);
    }

    return p;
}
