
/*
 * When they change places, the node gets the new socket, and sends again what
 * has no reply, as after a loss: with the same token, in the same order, within
 * the same deadlines; a WAIT is made anew behind it.  What the node is asked
 * from now on goes there, too.  The spare link gets the old socket and becomes
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


#include "redis/transport/ngx_redis_switch.h"
#include "redis/transport/ngx_redis_ack.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/transport/ngx_redis_info.h"


static ngx_int_t ngx_redis_switch_places(ngx_redis_node_t *node,
    ngx_redis_spare_t *late);
static void ngx_redis_switch_exchange(ngx_redis_link_t *node,
    ngx_redis_link_t *spare);
static void ngx_redis_switch_take(ngx_redis_link_t *link);


void
ngx_redis_switch(ngx_redis_node_t *node, ngx_redis_spare_t *spare)
{
    ngx_redis_ack_cancel(&node->pipeline);
    ngx_redis_info_cancel(node);

    if (ngx_redis_switch_places(node, spare) != NGX_OK
        || spare->link.live == 0)
    {
        /* nobody waits for what it may say */

        ngx_redis_link_leave(&spare->link);
    }

    ngx_redis_pipeline_rewind(&node->pipeline);
    ngx_redis_ack_rewind(&node->pipeline);

    ngx_redis_switch_exchange(&node->link, &spare->link);

    node->link.stream.overdue = 0;
    ngx_redis_info_forget(node);
    ngx_redis_info_ask(node);
}


/*
 * Moves what nobody waits for, and makes places for the rest.  The last one may
 * be incomplete: the rest of it will not be written.
 */

static ngx_int_t
ngx_redis_switch_places(ngx_redis_node_t *node, ngx_redis_spare_t *late)
{
    ngx_queue_t          *q, *next;
    ngx_redis_command_t  *cmd, *place;

    for (q = ngx_queue_head(&node->pipeline.sent);
         q != ngx_queue_sentinel(&node->pipeline.sent);
         q = next)
    {
        next = ngx_queue_next(q);
        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);

        if (cmd->buf.pos < cmd->buf.last) {
            break;
        }

        if (cmd->handler == NULL) {
            ngx_queue_remove(q);

            cmd->pipeline = &late->pipeline;
            cmd->place = 1;
            ngx_queue_insert_tail(&late->pipeline.sent, q);
            continue;
        }

        place = ngx_redis_command_place(&late->link.log, cmd);
        if (place == NULL) {
            return NGX_ERROR;
        }

        place->pipeline = &late->pipeline;

        ngx_queue_insert_tail(&late->pipeline.sent, &place->queue);

        if (cmd->asker && !cmd->unacked) {
            ngx_redis_call_part(cmd);
            cmd->twin = place;
            place->twin = cmd;
            late->link.live++;
        }
    }

    return NGX_OK;
}


/* the log names the peer, in memory that belongs to its link */

static void
ngx_redis_switch_exchange(ngx_redis_link_t *node, ngx_redis_link_t *spare)
{
    ngx_str_t              *name;
    ngx_uint_t              n;
    ngx_addr_t             *addrs;
    redisReader            *reader;
    ngx_redis_sieve_t       sieve;
    ngx_peer_connection_t   peer;

#define ngx_redis_switch_swap(f, t)                                            \
    t = node->f; node->f = spare->f; spare->f = t

    ngx_redis_switch_swap(stream.peer, peer);
    ngx_redis_switch_swap(stream.reader, reader);
    ngx_redis_switch_swap(stream.sieve, sieve);
    ngx_redis_switch_swap(site.peer, name);
    ngx_redis_switch_swap(site.resolved, addrs);
    ngx_redis_switch_swap(site.nresolved, n);
    ngx_redis_switch_swap(site.addrs, addrs);
    ngx_redis_switch_swap(site.naddrs, n);
    ngx_redis_switch_swap(site.addr, n);

#undef ngx_redis_switch_swap

#if (NGX_SSL)
    ngx_redis_site_forget_session(&node->site);
    node->site.session = spare->site.session;
    spare->site.session = NULL;
#endif

    spare->log.action = "talking to";

    ngx_redis_switch_take(node);
    ngx_redis_switch_take(spare);

    spare->stream.peer.connection->log_error = NGX_ERROR_INFO;
}


static void
ngx_redis_switch_take(ngx_redis_link_t *link)
{
    ngx_connection_t  *c;

    link->stream.peer.log = &link->log;

    c = link->stream.peer.connection;

    c->data = &link->stream;
    c->log = &link->log;
    c->read->log = &link->log;
    c->write->log = &link->log;

    if (c->pool) {
        c->pool->log = &link->log;
    }

    ngx_redis_link_live(link);
}
