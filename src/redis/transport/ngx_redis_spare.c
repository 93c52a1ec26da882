
/*
 * An idle connection that a NAT or a balancer has forgotten looks like one to
 * a Redis that is slow: what is written to it is swallowed.  Probes of TCP
 * (ngx_redis_node.c) keep most of them alive.  Where one is forgotten all the
 * same, a command must not find out by its deadline.
 *
 * A connection is doubted when nothing was read from it for NGX_REDIS_QUIET,
 * and a script's command is without a reply for a quarter of its time.  Then a
 * spare connection is made, on a node of its own.
 *
 *     quarter      the spare one begins to connect, and is greeted
 *     the old one  something is read from it: it was slow, the spare one goes
 *     half         the spare one is ready, or later, when it is: they change
 *                  places; if its connect time-out ends first, it goes, and the
 *                  old one has the silence that it has without all this
 *
 * So a Redis that stands still loses nothing: its connection, and what it was
 * sent, stay.  A spare one that fails is no failure of the node; one that was
 * greeted is a sign of life.
 *
 * When they change places, the node gets the new socket, and sends again what
 * has no reply, as after a loss: with the same token, in the same order, within
 * the same deadlines; a WAIT is made anew behind it.  What the node is asked
 * from now on goes there, too.  The spare node gets the old socket and becomes
 * the late one: it writes nothing, and for each command that was written it
 * has a place, which stands in the replies' order.
 *
 * A place and its command know each other ("twin") until one of them is freed,
 * or the command was answered, timed out, was cancelled, or went to another
 * node: then they part, and the reply to the place is dropped.  A reply that
 * comes first by the late connection answers the command, which is left behind
 * in the new pipeline as if it had timed out.  An error or a redirection is not
 * taken: the new connection says what is true now.  Neither is the reply to a
 * command that replicas have to acknowledge: it is their WAIT that counts.
 *
 * The late connection is closed when no place has a command, when it is silent
 * for too long, or when the node's own goes, for whatever reason; when the new
 * one is replaced in its turn, too.  It is reset: what the system still holds
 * of it must not reach Redis after what has been sent again, as a claim after
 * the end of the same one.  What was on its way already may; then the lease
 * bounds it, as wherever a command is sent again.
 */


#include "redis/conf/ngx_redis_internal.h"


#define NGX_REDIS_QUIET           1000  /* milliseconds without a byte, and
                                           between two spare connections */


static void ngx_redis_spare_handler(ngx_event_t *ev);
static ngx_msec_t ngx_redis_spare_due(ngx_redis_node_t *node);
static ngx_redis_command_t *ngx_redis_spare_oldest(ngx_redis_node_t *node);
static void ngx_redis_spare_make(ngx_redis_node_t *node);
static void ngx_redis_spare_drop(ngx_redis_node_t *spare);
static void ngx_redis_spare_switch(ngx_redis_node_t *node);
static ngx_int_t ngx_redis_spare_places(ngx_redis_node_t *node,
    ngx_redis_node_t *late);
static void ngx_redis_spare_exchange(ngx_redis_node_t *node,
    ngx_redis_node_t *spare);
static void ngx_redis_spare_take(ngx_redis_node_t *node);


void
ngx_redis_spare_init(ngx_redis_node_t *node)
{
    ngx_event_t  *doubt;

    doubt = &node->doubt;

    doubt->handler = ngx_redis_spare_handler;
    doubt->data = node;
    doubt->log = &node->log;
    doubt->cancelable = 1;

    node->heard = ngx_current_msec;
    node->spared = ngx_current_msec - NGX_REDIS_QUIET;
}


void
ngx_redis_spare_close(ngx_redis_node_t *node)
{
    if (node->doubt.timer_set) {
        ngx_del_timer(&node->doubt);
    }

    if (node->spare) {
        ngx_redis_spare_drop(node->spare);
    }

    if (node->late) {
        ngx_redis_spare_drop(node->late);
    }
}


void
ngx_redis_spare_heard(ngx_redis_node_t *node)
{
    node->heard = ngx_current_msec;

    if (node->state == ngx_redis_node_ready) {
        node->overdue = 0;
    }

    if (node->spare) {
        ngx_redis_spare_drop(node->spare);
    }
}


/*
 * The timer is not moved with what is written and read: it looks when it
 * passes.
 */

void
ngx_redis_spare_watch(ngx_redis_node_t *node)
{
    ngx_msec_t  due;

    if (node->doubt.timer_set
        || node->channel
        || node->principal
        || node->state != ngx_redis_node_ready)
    {
        return;
    }

    due = ngx_redis_spare_due(node);

    if (due != NGX_TIMER_INFINITE) {
        node->doubted = ngx_current_msec + due;
        ngx_add_timer(&node->doubt, due);
    }
}


static void
ngx_redis_spare_handler(ngx_event_t *ev)
{
    ngx_redis_node_t *node = ev->data;

    ngx_msec_t  grace;

    if (ngx_redis_spare_due(node) != 0) {
        ngx_redis_spare_watch(node);
        return;
    }

    if (node->spare == NULL) {
        ngx_redis_catch_up(node);

        grace = ngx_redis_grace(node->doubted, node->connect_timeout);

        if (grace > 1) {

            /* it may be the worker that has not read; next time it counts */

            node->doubted = ngx_current_msec + NGX_REDIS_QUIET;
            ngx_add_timer(ev, grace);
            return;
        }

        ngx_redis_spare_make(node);
        ngx_redis_spare_watch(node);
        return;
    }

    if (node->spare->state == ngx_redis_node_ready) {
        ngx_redis_spare_switch(node);
    }

    /* else as soon as it is */
}


/* milliseconds until the next step, if any */

static ngx_msec_t
ngx_redis_spare_due(ngx_redis_node_t *node)
{
    ngx_msec_t            start, quiet;
    ngx_msec_int_t        left;
    ngx_redis_command_t  *cmd;

    cmd = ngx_redis_spare_oldest(node);

    if (cmd == NULL) {
        return NGX_TIMER_INFINITE;
    }

    if (cmd == node->wait) {
        return node->timeout;           /* silence is what it asks for */
    }

    start = cmd->due - cmd->timeout;
    quiet = node->heard;

    if (node->spare) {
        start += cmd->timeout / 2;

    } else {
        start += cmd->timeout / 4;

        if ((ngx_msec_int_t) (node->spared - quiet) > 0) {
            quiet = node->spared;
        }
    }

    left = ngx_max((ngx_msec_int_t) (start - ngx_current_msec),
                   (ngx_msec_int_t) (quiet + NGX_REDIS_QUIET
                                     - ngx_current_msec));

    return (left > 0) ? (ngx_msec_t) left : 0;
}


/* of a script, and without a reply; or the WAIT that it stands behind */

static ngx_redis_command_t *
ngx_redis_spare_oldest(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_command_t  *cmd;

    for (q = ngx_queue_head(&node->sent);
         q != ngx_queue_sentinel(&node->sent);
         q = ngx_queue_next(q))
    {
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->handler && (cmd->script || cmd == node->wait)) {
            return cmd;
        }
    }

    return NULL;
}


static void
ngx_redis_spare_make(ngx_redis_node_t *node)
{
    ngx_redis_node_t  *spare;

    node->spared = ngx_current_msec;

    spare = ngx_redis_node_create(node->redis, node->hosts, node->nhosts,
                                  node->greeter);
    if (spare == NULL) {
        return;
    }

    spare->principal = node;
    spare->connect_timeout = node->connect_timeout;
    spare->host = node->host;
    spare->addr = node->addr;
    spare->evicts = node->evicts;

#if (NGX_SSL)
    spare->session = node->session;
    node->session = NULL;
#endif

    node->spare = spare;

    ngx_redis_node_wake(spare);
}


void
ngx_redis_spare_work(ngx_redis_node_t *spare)
{
    ngx_msec_t         due;
    ngx_redis_node_t  *node;

    node = spare->principal;

    if (spare->leaving || (spare == node->late && spare->live == 0)) {
        ngx_redis_spare_drop(spare);
        return;
    }

    if (spare == node->late) {
        return;
    }

    switch (spare->state) {

    case ngx_redis_node_down:
        ngx_redis_node_find(spare);
        break;

    case ngx_redis_node_ready:

        /* where all have timed out meanwhile, the next one finds it ready */

        due = ngx_redis_spare_due(node);

        if (due == 0 || due == NGX_TIMER_INFINITE) {
            ngx_redis_spare_switch(node);

        } else {
            ngx_redis_spare_watch(node);
        }

        break;

    default:
        break;
    }
}


static void
ngx_redis_spare_drop(ngx_redis_node_t *spare)
{
    ngx_redis_node_t  *node;

    node = spare->principal;

    if (spare == node->late) {
        node->late = NULL;

        if (spare->state == ngx_redis_node_ready) {
            ngx_redis_reset(spare->peer.connection);
        }

    } else {
        node->spare = NULL;
    }

    ngx_redis_node_destroy(spare);
}


static void
ngx_redis_spare_switch(ngx_redis_node_t *node)
{
    ngx_redis_node_t  *spare;

    ngx_log_error(NGX_LOG_WARN, &node->log, 0,
                  "nothing was heard from redis for %M ms, "
                  "its commands go to a new connection",
                  ngx_current_msec - node->heard);

    if (node->late) {
        ngx_redis_spare_drop(node->late);
    }

    spare = node->spare;
    node->spare = NULL;
    node->late = spare;

    ngx_redis_ack_cancel(node);
    ngx_redis_info_cancel(node);

    if (ngx_redis_spare_places(node, spare) != NGX_OK || spare->live == 0) {

        /* nobody waits for what it may say */

        ngx_redis_node_leave(spare);
    }

    ngx_redis_node_rewind(node);
    ngx_redis_ack_rewind(node);

    ngx_redis_spare_exchange(node, spare);

    node->curious = ngx_redis_info_curious(node);

    ngx_redis_spare_heard(node);
    ngx_redis_breaker_answered(node);

    ngx_redis_node_wake(node);
}


/*
 * Moves what nobody waits for, and makes places for the rest.  The last one may
 * be incomplete: the rest of it will not be written.
 */

static ngx_int_t
ngx_redis_spare_places(ngx_redis_node_t *node, ngx_redis_node_t *late)
{
    ngx_queue_t          *q, *next;
    ngx_redis_command_t  *cmd, *place;

    for (q = ngx_queue_head(&node->sent);
         q != ngx_queue_sentinel(&node->sent);
         q = next)
    {
        next = ngx_queue_next(q);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->buf.pos < cmd->buf.last) {
            break;
        }

        if (cmd->handler == NULL) {
            ngx_queue_remove(q);

            cmd->node = late;
            cmd->place = 1;
            ngx_queue_insert_tail(&late->sent, q);
            continue;
        }

        place = ngx_redis_command_place(late, cmd);
        if (place == NULL) {
            return NGX_ERROR;
        }

        ngx_queue_insert_tail(&late->sent, &place->queue);

        if (cmd->script && !cmd->unacked) {
            ngx_redis_spare_part(cmd);
            cmd->twin = place;
            place->twin = cmd;
            late->live++;
        }
    }

    return NGX_OK;
}


/* the log names the peer, in memory that belongs to its node */

static void
ngx_redis_spare_exchange(ngx_redis_node_t *node, ngx_redis_node_t *spare)
{
    ngx_uint_t              n;
    ngx_addr_t             *addrs;
    redisReader            *reader;
    ngx_peer_connection_t   peer;

#define ngx_redis_spare_swap(a, b, t)  t = a; a = b; b = t

    ngx_redis_spare_swap(node->peer, spare->peer, peer);
    ngx_redis_spare_swap(node->reader, spare->reader, reader);
    ngx_redis_spare_swap(node->resolved, spare->resolved, addrs);
    ngx_redis_spare_swap(node->nresolved, spare->nresolved, n);
    ngx_redis_spare_swap(node->addrs, spare->addrs, addrs);
    ngx_redis_spare_swap(node->naddrs, spare->naddrs, n);
    ngx_redis_spare_swap(node->addr, spare->addr, n);

#undef ngx_redis_spare_swap

#if (NGX_SSL)
    ngx_redis_tls_forget(node);
    node->session = spare->session;
    spare->session = NULL;
#endif

    node->evicts = spare->evicts;
    spare->log.action = "talking to";

    ngx_redis_spare_take(node);
    ngx_redis_spare_take(spare);

    spare->peer.connection->log_error = NGX_ERROR_INFO;
}


static void
ngx_redis_spare_take(ngx_redis_node_t *node)
{
    ngx_connection_t  *c;

    node->peer.log = &node->log;

    c = node->peer.connection;

    c->data = node;
    c->log = &node->log;
    c->read->log = &node->log;
    c->write->log = &node->log;

    if (c->pool) {
        c->pool->log = &node->log;
    }

    ngx_redis_node_live(node);
}


void
ngx_redis_spare_reply(ngx_redis_command_t *place, const redisReply *reply)
{
    ngx_redis_command_t  *cmd;

    cmd = place->twin;

    ngx_redis_command_free(place);

    if (cmd == NULL || cmd->unacked || reply->type == REDIS_REPLY_ERROR) {
        return;
    }

    ngx_redis_answer(cmd, reply);
}


void
ngx_redis_spare_part(ngx_redis_command_t *cmd)
{
    ngx_redis_node_t     *late;
    ngx_redis_command_t  *twin;

    twin = cmd->twin;

    if (twin == NULL) {
        return;
    }

    cmd->twin = NULL;
    twin->twin = NULL;

    late = cmd->place ? cmd->node : twin->node;

    late->live--;
    ngx_redis_node_live(late);

    if (late->live == 0) {
        ngx_redis_node_wake(late);
    }
}
