
/*
 * Duplicates that wait for the first one's answer.
 *
 * A duplicate whose key is in progress waits until it hears that this has come
 * to its end, and asks again with its own token: it is answered as a request
 * that comes later, or has won the claim.  Nothing else lets it go on.
 *
 * Redis says when, on a channel of the worker's own.  Where it cannot, and for
 * an owner that died, a duplicate asks by itself from time to time.
 */


#include "idempotency/ngx_http_segments_claim.h"
#include "life/ngx_http_segments_module.h"


/* between two asks without news, milliseconds: the first is doubled until the
   last */
#define NGX_HTTP_SEGMENTS_POLL_FIRST  100
#define NGX_HTTP_SEGMENTS_POLL_LAST   1000


/* a key that requests of this worker wait for; lives as long as they do */
typedef struct {
    ngx_str_node_t                sn;           /* the record's name */
    ngx_queue_t                   waiters;
    ngx_uint_t                    nwaiters;
} ngx_http_segments_awaited_t;


/* of one tenant in this worker; lives as long as the worker */
struct ngx_http_segments_room_s {
    ngx_redis_channel_t          *channel;
    ngx_rbtree_t                  keys;         /* ngx_http_segments_awaited_t */
    ngx_rbtree_node_t             sentinel;
};


/* in r->pool */
struct ngx_http_segments_waiter_s {
    ngx_queue_t                   queue;        /* of its key's waiters */
    ngx_http_segments_ctx_t      *ctx;
    ngx_http_segments_room_t     *room;
    ngx_http_segments_awaited_t  *key;          /* NULL: waits no more */
    ngx_event_t                   event;        /* to ask again: a timer, or
                                                   posted by what was heard */
    ngx_msec_t                    deadline;
    ngx_msec_t                    poll;         /* until the next ask */
    unsigned                      news:1;       /* heard while it was asking:
                                                   its verdict may be older */
};


static ngx_int_t ngx_http_segments_wait_begin(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);
static ngx_http_segments_room_t *ngx_http_segments_room(
    ngx_http_segments_loc_conf_t *slcf);
static ngx_http_segments_awaited_t *ngx_http_segments_awaited(
    ngx_http_segments_room_t *room, ngx_str_t *name);
static ngx_msec_t ngx_http_segments_wait_next(ngx_http_segments_waiter_t *w);
static void ngx_http_segments_wait_message(void *data,
    const ngx_str_t *message);
static void ngx_http_segments_wait_wake(ngx_http_segments_awaited_t *key);
static void ngx_http_segments_wait_handler(ngx_event_t *ev);


/* of this worker */
static ngx_uint_t  ngx_http_segments_waiters;


ngx_int_t
ngx_http_segments_wait(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx)
{
    ngx_msec_t                   left;
    ngx_http_segments_waiter_t  *w;

    if (ctx->waiter == NULL
        && ngx_http_segments_wait_begin(r, ctx) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    w = ctx->waiter;

    if (ngx_http_segments_wait_over(ctx)) {
        return NGX_DECLINED;
    }

    if (w->news) {
        ngx_post_event(&w->event, &ngx_posted_next_events);
        return NGX_DONE;
    }

    left = w->deadline - ngx_current_msec;

    ngx_add_timer(&w->event, ngx_min(left, ngx_http_segments_wait_next(w)));

    return NGX_DONE;
}


/* NGX_DECLINED where there is no room, and nothing to wait in */

static ngx_int_t
ngx_http_segments_wait_begin(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_room_t      *room;
    ngx_http_segments_waiter_t    *w;
    ngx_http_segments_awaited_t   *key;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (slcf->wait == 0 || ngx_http_segments_waiters >= slcf->waiters) {
        return NGX_DECLINED;
    }

    w = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_waiter_t));
    room = ngx_http_segments_room(slcf);
    if (w == NULL || room == NULL) {
        return NGX_DECLINED;
    }

    key = ngx_http_segments_awaited(room, &ctx->record);

    if (key == NULL || key->nwaiters >= slcf->waiters_per_key) {
        return NGX_DECLINED;
    }

    w->ctx = ctx;
    w->room = room;
    w->key = key;
    w->deadline = ngx_current_msec + slcf->wait;
    w->poll = NGX_HTTP_SEGMENTS_POLL_FIRST;
    w->event.handler = ngx_http_segments_wait_handler;
    w->event.data = w;
    w->event.log = r->connection->log;

    ngx_queue_insert_tail(&key->waiters, &w->queue);
    key->nwaiters++;
    ngx_http_segments_waiters++;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_waiting,
                                ngx_http_segments_waiters);

    ngx_redis_channel_listen(room->channel, 1);

    ctx->waiter = w;

    return NGX_OK;
}


static ngx_http_segments_room_t *
ngx_http_segments_room(ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_segments_room_t  *room;

    room = slcf->tenant->room;

    if (room) {
        return room;
    }

    room = ngx_alloc(sizeof(ngx_http_segments_room_t), ngx_cycle->log);
    if (room == NULL) {
        return NULL;
    }

    ngx_rbtree_init(&room->keys, &room->sentinel, ngx_str_rbtree_insert_value);

    room->channel = ngx_redis_channel_create(slcf->redis, &slcf->redis_prefix,
                                             slcf->redis_connect_timeout,
                                             ngx_http_segments_wait_message,
                                             room);
    if (room->channel == NULL) {
        ngx_free(room);
        return NULL;
    }

    slcf->tenant->room = room;

    return room;
}


static ngx_http_segments_awaited_t *
ngx_http_segments_awaited(ngx_http_segments_room_t *room, ngx_str_t *name)
{
    uint32_t                      hash;
    ngx_str_node_t               *sn;
    ngx_http_segments_awaited_t  *key;

    hash = ngx_crc32_short(name->data, name->len);

    sn = ngx_str_rbtree_lookup(&room->keys, name, hash);

    if (sn) {
        return (ngx_http_segments_awaited_t *) sn;
    }

    key = ngx_alloc(sizeof(ngx_http_segments_awaited_t) + name->len,
                    ngx_cycle->log);
    if (key == NULL) {
        return NULL;
    }

    key->sn.node.key = hash;
    key->sn.str.len = name->len;
    key->sn.str.data = (u_char *) &key[1];
    ngx_memcpy(key->sn.str.data, name->data, name->len);

    ngx_queue_init(&key->waiters);
    key->nwaiters = 0;

    ngx_rbtree_insert(&room->keys, &key->sn.node);

    return key;
}


/* milliseconds until the next ask, if nothing is heard before */

static ngx_msec_t
ngx_http_segments_wait_next(ngx_http_segments_waiter_t *w)
{
    ngx_msec_t                  next;
    ngx_redis_record_t         *record;
    ngx_http_segments_ctx_t    *ctx;

    ctx = w->ctx;
    record = &ctx->claim->record;

    next = w->poll;

    if (ctx->verdict != ngx_redis_record_in_progress) {
        w->poll = ngx_min(2 * next, NGX_HTTP_SEGMENTS_POLL_LAST);
        return next;
    }

    if (ngx_redis_channel_name(w->room->channel) == NULL) {
        w->poll = ngx_min(2 * next, NGX_HTTP_SEGMENTS_POLL_LAST);

    } else if (record->channel.len == 0) {

        /* subscribed meanwhile, but the record does not know it */

        next = 0;

    } else {
        next = record->lease / 3;
    }

    /* an owner that died does not say so */

    return ngx_min(next, ctx->left + 1);
}


ngx_uint_t
ngx_http_segments_wait_over(ngx_http_segments_ctx_t *ctx)
{
    return (ngx_msec_int_t) (ctx->waiter->deadline - ngx_current_msec) <= 0;
}


void
ngx_http_segments_wait_ask(ngx_http_segments_ctx_t *ctx)
{
    ngx_str_t                   *name;
    ngx_http_segments_waiter_t  *w;

    w = ctx->waiter;
    w->news = 0;

    name = ngx_redis_channel_name(w->room->channel);

    if (name) {
        ctx->claim->record.channel = *name;

    } else {
        ngx_str_null(&ctx->claim->record.channel);
    }
}


void
ngx_http_segments_wait_end(ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_waiter_t   *w;
    ngx_http_segments_awaited_t  *key;

    w = ctx->waiter;

    if (w == NULL || w->key == NULL) {
        return;
    }

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    if (w->event.posted) {
        ngx_delete_posted_event(&w->event);
    }

    key = w->key;
    w->key = NULL;

    ngx_queue_remove(&w->queue);
    ngx_http_segments_waiters--;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_waiting,
                                ngx_http_segments_waiters);

    if (--key->nwaiters == 0) {
        ngx_rbtree_delete(&w->room->keys, &key->sn.node);
        ngx_free(key);
    }

    if (w->room->keys.root == w->room->keys.sentinel) {
        ngx_redis_channel_listen(w->room->channel, 0);
    }
}


static void
ngx_http_segments_wait_message(void *data, const ngx_str_t *message)
{
    ngx_http_segments_room_t *room = data;

    ngx_str_t           name;
    ngx_str_node_t     *sn;
    ngx_rbtree_node_t  *node, *sentinel;

    if (message) {
        name = *message;

        sn = ngx_str_rbtree_lookup(&room->keys, &name,
                                   ngx_crc32_short(name.data, name.len));
        if (sn) {
            ngx_http_segments_wait_wake((ngx_http_segments_awaited_t *) sn);
        }

        return;
    }

    /* subscribed, and no record knows it yet; or nothing will be heard */

    sentinel = room->keys.sentinel;

    if (room->keys.root == sentinel) {
        return;
    }

    for (node = ngx_rbtree_min(room->keys.root, sentinel);
         node;
         node = ngx_rbtree_next(&room->keys, node))
    {
        ngx_http_segments_wait_wake((ngx_http_segments_awaited_t *) node);
    }
}


/*
 * Their handlers may end requests: later, and one by one.  A channel that is
 * closed when nginx shuts down is closed outside of the event loop, which
 * waits for other posted events' turn to come.
 */

static void
ngx_http_segments_wait_wake(ngx_http_segments_awaited_t *key)
{
    ngx_queue_t                 *q;
    ngx_http_segments_waiter_t  *w;

    for (q = ngx_queue_head(&key->waiters);
         q != ngx_queue_sentinel(&key->waiters);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_http_segments_waiter_t, queue);

        ngx_post_event(&w->event, &ngx_posted_next_events);
    }
}


static void
ngx_http_segments_wait_handler(ngx_event_t *ev)
{
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_http_segments_waiter_t  *w;

    w = ev->data;
    r = w->ctx->request;
    c = r->connection;

    if (w->ctx->state == ngx_http_segments_admit) {
        w->news = 1;
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_segments_wait_exit(ngx_http_segments_main_conf_t *smcf)
{
    ngx_uint_t                    i;
    ngx_http_segments_tenant_t  **tenant;

    tenant = smcf->tenants.elts;

    for (i = 0; i < smcf->tenants.nelts; i++) {

        if (tenant[i]->room) {
            ngx_redis_channel_destroy(tenant[i]->room->channel);
            ngx_free(tenant[i]->room);
            tenant[i]->room = NULL;
        }
    }
}
