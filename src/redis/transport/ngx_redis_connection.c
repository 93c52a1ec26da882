
/*
 * Replies are positional: each belongs to the oldest command that was written
 * and not replied to, with ASKING to both in turn, and an abandoned command
 * keeps its place.  So one that cannot belong to its command, by its type, its
 * count or its proof, and one that comes to no command, mean that no reply of
 * this connection can be believed any more, whoever waits for it or has given
 * it up.  The connection is out of step and goes at once, with all that it has
 * said and not been asked for; its commands are sent again.
 *
 * Sent again, once: a command takes part in this twice, and when the connection
 * that has it for the second time is out of step, too, it is lost (NGX_ABORT).
 * That bounds what a server that never makes sense can have executed, and
 * nothing else does: a connection that merely ends is no contradiction, and
 * what it had is sent again within its deadline as often as that happens, as it
 * is redirected up to NGX_REDIS_MAP_HOPS times.  Neither is counted here, nor
 * does being here count there, and a command keeps its mark wherever it hops
 * to.  The deadline is that of the submission throughout.  A command of which
 * no byte was written to this connection has not been sent, and one that nobody
 * waits for is not sent again.
 */


#include "redis/conf/ngx_redis_internal.h"


#define NGX_REDIS_BATCH           64    /* commands in one chain */
#define NGX_REDIS_ALERT           0x15  /* the type of a record of TLS */
#define NGX_REDIS_SILENCE         1000  /* milliseconds, at least */


static ngx_chain_t *ngx_redis_unwritten(ngx_redis_node_t *node);
static void ngx_redis_mark_sent(ngx_redis_node_t *node);
static void ngx_redis_overdue(ngx_redis_node_t *node, ngx_event_t *ev);
static ngx_int_t ngx_redis_read(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_feed(ngx_redis_node_t *node, size_t n);
static void ngx_redis_hung_up(ngx_redis_node_t *node, ssize_t n);
static void ngx_redis_eof(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_first_byte(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_parse(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_reply(ngx_redis_node_t *node, redisReply *reply);
static ngx_redis_command_t *ngx_redis_oldest(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_out_of_step(ngx_redis_node_t *node);
static void ngx_redis_mark_again(ngx_redis_node_t *node, ngx_queue_t *queue);
static ngx_msec_t ngx_redis_silence(ngx_redis_node_t *node);
static void ngx_redis_await(ngx_redis_node_t *node);


void
ngx_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;
    ngx_redis_node_t  *node;

    c = wev->data;
    node = c->data;

    if (wev->timedout && !node->overdue) {
        ngx_redis_overdue(node, wev);
        return;
    }

    if (wev->timedout) {
        ngx_redis_node_timed_out(node);
        return;
    }

    if (node->state == ngx_redis_node_connecting) {
        ngx_redis_node_connected(node);
        return;
    }

    ngx_redis_send(node);
}


void
ngx_redis_send(ngx_redis_node_t *node)
{
    ngx_chain_t       *cl;
    ngx_connection_t  *c;

    c = node->peer.connection;

    do {
        cl = ngx_redis_unwritten(node);

        if (cl == NULL && !c->buffered) {
            break;
        }

        cl = c->send_chain(c, cl, 0);

        if (cl == NGX_CHAIN_ERROR) {
            ngx_redis_node_failed(node);
            return;
        }

        ngx_redis_mark_sent(node);

    } while (c->write->ready);

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_redis_node_failed(node);
        return;
    }

    if (!c->read->timer_set) {
        ngx_redis_await(node);
    }

    ngx_redis_spare_watch(node);
}


static ngx_chain_t *
ngx_redis_unwritten(ngx_redis_node_t *node)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_chain_t          *cl, **ll;
    ngx_redis_command_t  *cmd;

    if (node->state != ngx_redis_node_ready || node->channel) {
        return (node->greeting.pos < node->greeting.last)
               ? &node->greeting_link : NULL;
    }

    ll = &cl;

    if (!ngx_queue_empty(&node->sent)) {
        q = ngx_queue_last(&node->sent);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->buf.pos < cmd->buf.last) {
            *ll = &cmd->link;
            ll = &cmd->link.next;
        }
    }

    q = ngx_queue_head(&node->waiting);

    for (n = 0; n < NGX_REDIS_BATCH; n++) {

        if (q == ngx_queue_sentinel(&node->waiting)) {
            break;
        }

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        q = ngx_queue_next(q);

        *ll = &cmd->link;
        ll = &cmd->link.next;
    }

    *ll = NULL;

    return cl;
}


static void
ngx_redis_mark_sent(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    while (!ngx_queue_empty(&node->waiting)) {
        q = ngx_queue_head(&node->waiting);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->buf.pos == cmd->buf.start) {
            break;
        }

        cmd->written = 1;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&node->sent, q);
    }
}


void
ngx_redis_read_handler(ngx_event_t *rev)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;
    ngx_redis_node_t  *node;

    c = rev->data;
    node = c->data;

    if (c->close) {
        ngx_redis_node_close(node);

        if (node->principal) {
            ngx_redis_node_leave(node);
        }

        return;
    }

    if (rev->timedout && !node->overdue) {
        ngx_redis_overdue(node, rev);
        return;
    }

    if (rev->timedout && node->channel) {
        rev->timedout = 0;
        node->overdue = 0;

        if (ngx_redis_channel_silent(node->channel) != NGX_OK) {
            ngx_redis_node_failed(node);
        }

        return;
    }

    if (rev->timedout && node->spare) {

        /* that one has a time-out of its own, and may be ready soon */

        rev->timedout = 0;
        ngx_add_timer(rev, node->connect_timeout);
        return;
    }

    if (rev->timedout) {

        if (node->principal == NULL) {
            ngx_log_error(NGX_LOG_ERR, c->log, NGX_ETIMEDOUT,
                          "redis was silent for %M ms",
                          ngx_redis_silence(node));
        }

        ngx_redis_reset(c);
        ngx_redis_node_failed(node);
        return;
    }

    if (node->state == ngx_redis_node_connecting) {
        ngx_redis_node_connected(node);

        if (node->state < ngx_redis_node_greeting) {
            return;
        }
    }

    rc = ngx_redis_read(node);

    if (rc == NGX_ERROR || ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_redis_node_failed(node);
        return;
    }

    if (rc == NGX_OK) {
        ngx_redis_await(node);
    }
}


/*
 * A timer of the connection has passed: what has arrived is read first.  One
 * that is still being made may be so in the system already.
 */

static void
ngx_redis_overdue(ngx_redis_node_t *node, ngx_event_t *ev)
{
    ngx_msec_t  grace;

    node->overdue = 1;
    ev->timedout = 0;

    ngx_redis_catch_up(node);

    grace = (node->state == ngx_redis_node_ready) ? 1
            : ngx_redis_grace(node->started + node->connect_timeout,
                              node->connect_timeout);

    ngx_add_timer(ev, grace);
}


void
ngx_redis_catch_up(ngx_redis_node_t *node)
{
    ngx_event_t  *rev;

    if (node->state < ngx_redis_node_securing) {
        return;
    }

    /* as if it had been reported: else nothing would be asked of the system */

    rev = node->peer.connection->read;

    rev->ready = 1;
    rev->available = -1;

    ngx_post_event(rev, &ngx_posted_events);

    if (node->late) {
        ngx_redis_catch_up(node->late);
    }
}


ngx_msec_t
ngx_redis_grace(ngx_msec_t due, ngx_msec_t timeout)
{
    /*
     * The same for all that have passed in this turn: they stay together.  At
     * least a millisecond: a timer that is due now would be in this turn, too,
     * and what is read in it is read behind the timers.
     */

    return ((ngx_msec_int_t) (ngx_current_msec - due)
            > (ngx_msec_int_t) (timeout / 8))
           ? timeout / 4 + 1 : 1;
}


void
ngx_redis_reset(ngx_connection_t *c)
{
    struct linger  linger;

    linger.l_onoff = 1;
    linger.l_linger = 0;

    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, (const void *) &linger,
                   sizeof(struct linger))
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, c->log, ngx_socket_errno,
                      "setsockopt(%s) failed, ignored", "SO_LINGER");
    }
}


/* NGX_OK: something was read; NGX_AGAIN: nothing is there */

static ngx_int_t
ngx_redis_read(ngx_redis_node_t *node)
{
    ssize_t            n;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = node->peer.connection;
    rc = NGX_AGAIN;

    for ( ;; ) {
        n = c->recv(c, node->buffer, NGX_REDIS_BUFFER_SIZE);

        if (n == NGX_AGAIN) {
            return rc;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_redis_hung_up(node, n);
            return NGX_ERROR;
        }

        if (!node->spoke) {
            node->spoke = 1;

            if (ngx_redis_first_byte(node) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        rc = NGX_OK;

        ngx_redis_spare_heard(node);

        if (ngx_redis_feed(node, n) != NGX_OK
            || ngx_redis_parse(node) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_redis_feed(ngx_redis_node_t *node, size_t n)
{
    switch (ngx_redis_sieve(&node->sieve, node->reader, (char *) node->buffer,
                            n))
    {
    case 1:
        break;

    case 0:
        ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                      "redis sent an invalid reply");
        return ngx_redis_out_of_step(node);

    default: /* -1 */
        ngx_log_error(NGX_LOG_CRIT, &node->log, 0, "redisReaderFeed() failed");
        return NGX_ERROR;
    }

    if (node->sieve.dropped) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&node->log), 0,
                      "redis sent %uz bytes in one value, of more than %uz "
                      "nothing is kept",
                      node->sieve.dropped, node->sieve.max);
        node->sieve.dropped = 0;
    }

    return NGX_OK;
}


/* an error was logged when it was read */

static void
ngx_redis_hung_up(ngx_redis_node_t *node, ssize_t n)
{
    ngx_redis_info_hung_up(node);

    if (!node->spoke
        && !node->redis->secure
        && node->peer.sockaddr->sa_family != AF_UNIX)
    {
        ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                      "redis closed the connection without a word, as it does "
                      "at a port for TLS: a URL for that begins with "
                      "\"rediss\"");
        return;
    }

    if (n == 0) {
        ngx_redis_eof(node);
    }
}


static void
ngx_redis_eof(ngx_redis_node_t *node)
{
    ngx_uint_t  level;

    /* an idle connection may be closed by Redis' own "timeout", and whoever has
       forgotten one, and hears of it late, closes it */

    level = (node->state == ngx_redis_node_ready
             && (ngx_queue_empty(&node->sent) || node->principal))
            ? NGX_LOG_WARN : NGX_LOG_ERR;

    ngx_log_error(level, &node->log, 0, "redis closed the connection");
}


/* an alert of TLS begins with a byte that no reply begins with */

static ngx_int_t
ngx_redis_first_byte(ngx_redis_node_t *node)
{
    if (node->buffer[0] != NGX_REDIS_ALERT) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                  "redis speaks TLS at this port, for which a URL begins with "
                  "\"rediss\"");

    return NGX_ERROR;
}


static ngx_int_t
ngx_redis_parse(ngx_redis_node_t *node)
{
    void       *reply;
    ngx_int_t   rc;

    for ( ;; ) {

        if (redisReaderGetReply(node->reader, &reply) != REDIS_OK) {
            ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                          "redis sent an invalid reply");
            return ngx_redis_out_of_step(node);
        }

        if (reply == NULL) {
            return NGX_OK;
        }

        rc = (node->state == ngx_redis_node_ready)
             ? ngx_redis_reply(node, reply)
             : ngx_redis_greeting_reply(node, reply);

        if (rc == NGX_DONE) {
            continue;                   /* it is kept */
        }

        freeReplyObject(reply);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_redis_reply(ngx_redis_node_t *node, redisReply *reply)
{
    ngx_redis_command_t  *cmd;

    if (node->channel) {
        ngx_redis_node_answered(node);
        ngx_redis_channel_reply(node->channel, reply);
        return NGX_OK;
    }

    cmd = ngx_redis_oldest(node);

    if (cmd == NULL) {
        ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                      "redis sent a reply to no command");
        return ngx_redis_out_of_step(node);
    }

    if (!ngx_redis_command_answered(cmd, reply)) {
        ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                      "redis sent a reply that cannot be to its command");
        return ngx_redis_out_of_step(node);
    }

    if (cmd->asking && !cmd->asked) {
        cmd->asked = 1;
        return NGX_OK;
    }

    ngx_queue_remove(&cmd->queue);

    if (cmd != node->info) {
        ngx_redis_node_answered(node);
    }

    if (cmd->place) {
        ngx_redis_spare_reply(cmd, reply);
        return NGX_OK;
    }

    if (ngx_redis_map_redirect(cmd, reply) == NGX_OK) {
        return NGX_OK;
    }

    if (ngx_redis_script_missing(cmd, reply)
        && ngx_redis_command_eval(cmd) == NGX_OK)
    {
        ngx_queue_insert_tail(&node->waiting, &cmd->queue);
        ngx_redis_node_wake(node);

        return NGX_OK;
    }

    if (cmd->unacked && reply->type != REDIS_REPLY_ERROR) {
        ngx_redis_ack_hold(cmd, reply);
        return NGX_DONE;
    }

    ngx_redis_complete(cmd, NGX_OK, reply);

    return NGX_OK;
}


/* the one that is to be replied to; ASKING is while its command is on its way */

static ngx_redis_command_t *
ngx_redis_oldest(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    if (ngx_queue_empty(&node->sent)) {
        return NULL;
    }

    q = ngx_queue_head(&node->sent);
    cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

    if (cmd->asking && !cmd->asked) {
        return cmd;
    }

    return (cmd->buf.pos < cmd->buf.last) ? NULL : cmd;
}


/* always NGX_ERROR: the caller closes the connection */

static ngx_int_t
ngx_redis_out_of_step(ngx_redis_node_t *node)
{
    ngx_redis_info_hung_up(node);

    ngx_redis_mark_again(node, &node->sent);
    ngx_redis_mark_again(node, &node->held);

    return NGX_ERROR;
}


static void
ngx_redis_mark_again(ngx_redis_node_t *node, ngx_queue_t *queue)
{
    ngx_queue_t          *q, *next;
    ngx_redis_command_t  *cmd;

    for (q = ngx_queue_head(queue); q != ngx_queue_sentinel(queue); q = next) {
        next = ngx_queue_next(q);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->handler == NULL) {
            continue;
        }

        if (!cmd->again) {
            cmd->again = 1;
            continue;
        }

        /*
         * Its handler is called soon, never while a reply is being read; the
         * node may be gone by then, the home is not.
         */

        ngx_queue_remove(q);
        ngx_queue_init(q);

        ngx_redis_move(cmd, node->redis->map->home);
        ngx_redis_command_rewind(cmd);

        cmd->lost = 1;

        ngx_del_timer(&cmd->deadline);
        ngx_add_timer(&cmd->deadline, 0);
    }
}


static ngx_msec_t
ngx_redis_silence(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    q = ngx_queue_head(&node->sent);
    cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

    return ngx_max(4 * cmd->timeout, NGX_REDIS_SILENCE);
}


static void
ngx_redis_await(ngx_redis_node_t *node)
{
    ngx_event_t  *rev;

    if (node->channel) {
        ngx_redis_channel_await(node->channel);
        return;
    }

    rev = node->peer.connection->read;

    if (!ngx_queue_empty(&node->sent)) {

        /* ngx_add_timer() may keep a timer that is earlier by so much */
        ngx_add_timer(rev, ngx_redis_silence(node) + NGX_TIMER_LAZY_DELAY);

        return;
    }

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    if (ngx_redis_info_wanted(node)) {
        ngx_redis_node_wake(node);
    }
}
