
/*
 * Where the duplicates of one tenant wait in a worker, and what they hear
 * there.
 */


#include "idempotency/ngx_http_segments_room.h"


static void ngx_http_segments_wait_message(void *data,
    const ngx_str_t *message);
static void ngx_http_segments_wait_wake(ngx_http_segments_awaited_t *key);


ngx_http_segments_room_t *
ngx_http_segments_room(ngx_http_segments_room_t **roomp,
    ngx_http_segments_store_t *store)
{
    ngx_http_segments_room_t  *room;

    room = *roomp;

    if (room) {
        return room;
    }

    room = ngx_alloc(sizeof(ngx_http_segments_room_t), ngx_cycle->log);
    if (room == NULL) {
        return NULL;
    }

    ngx_rbtree_init(&room->keys, &room->sentinel, ngx_str_rbtree_insert_value);

    room->channel = ngx_redis_channel_create(store->redis, &store->prefix,
                                             store->options.connect_timeout,
                                             ngx_http_segments_wait_message,
                                             room);
    if (room->channel == NULL) {
        ngx_free(room);
        return NULL;
    }

    *roomp = room;

    return room;
}


ngx_http_segments_awaited_t *
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


ngx_http_segments_awaited_t *
ngx_http_segments_find_awaited(ngx_http_segments_room_t *room, ngx_str_t *name)
{
    if (room == NULL || room->keys.root == room->keys.sentinel) {
        return NULL;
    }

    return (ngx_http_segments_awaited_t *)
           ngx_str_rbtree_lookup(&room->keys, name,
                                 ngx_crc32_short(name->data, name->len));
}


static void
ngx_http_segments_wait_message(void *data, const ngx_str_t *message)
{
    ngx_http_segments_room_t *room = data;

    ngx_str_t                     name;
    ngx_rbtree_node_t            *node, *sentinel;
    ngx_http_segments_awaited_t  *key;

    if (message) {
        name = *message;

        key = ngx_http_segments_find_awaited(room, &name);

        if (key) {
            ngx_http_segments_wait_wake(key);
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
 * One asks for all that wait here: what it hears is told to the others, or the
 * next one asks.  Who is asking already asks once more.
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

        if (w->leads) {
            w->news = w->asking;
            return;
        }
    }

    ngx_http_segments_wait_lead(key, ngx_queue_head(&key->waiters));
}


/*
 * Its handler may end requests: later, and one by one.  A channel that is
 * closed when nginx shuts down is closed outside of the event loop, which
 * waits for other posted events' turn to come.
 */

void
ngx_http_segments_wait_lead(ngx_http_segments_awaited_t *key, ngx_queue_t *q)
{
    ngx_http_segments_waiter_t  *w;

    for ( /* void */ ; q != ngx_queue_sentinel(&key->waiters);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_http_segments_waiter_t, queue);

        if (w->shared) {
            continue;
        }

        w->leads = 1;
        w->news = w->asking;

        if (!w->asking) {
            ngx_post_event(&w->event, &ngx_posted_next_events);
        }

        return;
    }
}


void
ngx_http_segments_wait_exit(ngx_http_segments_room_t **room)
{
    if (*room) {
        ngx_redis_channel_destroy((*room)->channel);
        ngx_free(*room);
        *room = NULL;
    }
}
