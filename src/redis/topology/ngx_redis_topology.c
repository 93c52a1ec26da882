
/*
 * What a worker keeps of a Redis: its nodes, and whom it asks about them; made
 * with the first command, until the worker ends.
 *
 * A node that goes hands back its commands in an event of its own: a reply that
 * is being read may have been its.
 */


#include "redis/topology/ngx_redis_topology.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/topology/ngx_redis_channel.h"
#include "redis/topology/ngx_redis_checkup.h"
#include "redis/topology/ngx_redis_question.h"
#include "redis/topology/ngx_redis_redirect.h"
#include "redis/reply/ngx_redis_slot.h"


static ngx_redis_map_t *ngx_redis_topology_create(ngx_redis_t *redis);
static ngx_int_t ngx_redis_topology_init(ngx_redis_map_t *map);
static ngx_int_t ngx_redis_topology_guides(ngx_redis_map_t *map);
static void ngx_redis_topology_trouble(ngx_redis_node_t *node);
static void ngx_redis_topology_guide_trouble(ngx_redis_node_t *node);
static void ngx_redis_topology_retired(ngx_redis_node_t *node);


static const ngx_redis_node_hooks_t  ngx_redis_topology_nodes = {
    .trouble = ngx_redis_topology_trouble,
    .reply = ngx_redis_redirect,
    .lost = ngx_redis_question_lost,
    .retired = ngx_redis_topology_retired
};


static const ngx_redis_node_hooks_t  ngx_redis_topology_guide_hooks = {
    .trouble = ngx_redis_topology_guide_trouble,
    .reply = ngx_redis_redirect,
    .lost = ngx_redis_question_lost,
    .retired = ngx_redis_topology_retired
};


ngx_redis_map_t *
ngx_redis_topology_get(ngx_redis_t *redis)
{
    if (redis->map == NULL) {
        redis->map = ngx_redis_topology_create(redis);
    }

    return redis->map;
}


static ngx_redis_map_t *
ngx_redis_topology_create(ngx_redis_t *redis)
{
    ngx_redis_map_t  *map;

    map = ngx_calloc(sizeof(ngx_redis_map_t), ngx_cycle->log);
    if (map == NULL) {
        return NULL;
    }

    map->redis = redis;
    map->ident = -1;

    map->hooks = &ngx_redis_topology_nodes;

    ngx_queue_init(&map->nodes);
    ngx_queue_init(&map->followers);
    ngx_queue_init(&map->homeless);

    if (ngx_redis_topology_init(map) != NGX_OK) {
        ngx_redis_topology_end(map);
        return NULL;
    }

    map->timer.handler = ngx_redis_question_handler;
    map->timer.data = map;
    map->timer.log = &map->home->link.log;
    map->timer.cancelable = 1;

    return map;
}


static ngx_int_t
ngx_redis_topology_init(ngx_redis_map_t *map)
{
    ngx_redis_t  *redis;

    redis = map->redis;

    if (redis->topology == ngx_redis_single) {
        map->home = ngx_redis_node_create(redis, map->hooks, redis->hosts,
                                          redis->nhosts, &redis->greeting);
        map->master = map->home;

        return map->home ? NGX_OK : NGX_ERROR;
    }

    map->home = ngx_redis_node_create(redis, map->hooks, NULL, 0,
                                      &redis->greeting);
    if (map->home == NULL) {
        return NGX_ERROR;
    }

    if (redis->topology == ngx_redis_cluster) {
        map->slots = ngx_calloc(NGX_REDIS_SLOTS * sizeof(ngx_redis_node_t *),
                                ngx_cycle->log);
        if (map->slots == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_redis_topology_guides(map);
}


static ngx_int_t
ngx_redis_topology_guides(ngx_redis_map_t *map)
{
    ngx_uint_t         n;
    ngx_redis_t       *redis;
    ngx_redis_node_t  *node;

    redis = map->redis;

    map->guides = ngx_calloc(redis->nhosts * sizeof(ngx_redis_node_t *),
                             ngx_cycle->log);
    map->watches = ngx_calloc(redis->nhosts * sizeof(ngx_redis_channel_t *),
                              ngx_cycle->log);

    if (map->guides == NULL || map->watches == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; n < redis->nhosts; n++) {
        node = ngx_redis_node_create(redis, &ngx_redis_topology_guide_hooks,
                                     &redis->hosts[n], 1,
                                     &redis->guide_greeting);
        if (node == NULL) {
            return NGX_ERROR;
        }

        node->guide = 1;
        node->pipeline.home = &map->home->pipeline;

        map->guides[n] = node;
        map->nguides++;
    }

    return NGX_OK;
}


void
ngx_redis_topology_end(ngx_redis_map_t *map)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_redis_node_t     *node;
    ngx_redis_command_t  *cmd;

    map->closing = 1;

    if (map->checkup) {
        ngx_redis_checkup_end(map->redis);
    }

    while (!ngx_queue_empty(&map->followers)) {
        q = ngx_queue_head(&map->followers);
        ngx_queue_remove(q);
        ngx_queue_init(q);
    }

    while (!ngx_queue_empty(&map->homeless)) {
        q = ngx_queue_head(&map->homeless);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        ngx_redis_call_free(cmd);
    }

    while (!ngx_queue_empty(&map->nodes)) {
        q = ngx_queue_head(&map->nodes);
        ngx_queue_remove(q);

        node = ngx_queue_data(q, ngx_redis_node_t, siblings);
        ngx_redis_node_destroy(node);
    }

    for (n = 0; n < map->nguides; n++) {

        if (map->watches[n]) {
            ngx_redis_channel_destroy(map->watches[n]);
        }

        ngx_redis_node_destroy(map->guides[n]);
    }

    if (map->timer.timer_set) {
        ngx_del_timer(&map->timer);     /* its log is the home's */
    }

    if (map->home) {
        ngx_redis_node_destroy(map->home);
    }

    ngx_free(map->watches);
    ngx_free(map->guides);
    ngx_free(map->slots);
    ngx_free(map);
}


static void
ngx_redis_topology_trouble(ngx_redis_node_t *node)
{
    /* NULL while it is made or ends */

    if (node->link.redis->map) {
        ngx_redis_map_trouble(node->link.redis->map);
    }
}


/* another one is asked instead */

static void
ngx_redis_topology_guide_trouble(ngx_redis_node_t *node)
{
}


static void
ngx_redis_topology_retired(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_map_t      *map;
    ngx_redis_command_t  *cmd;

    map = node->link.redis->map;

    ngx_redis_question_cancel(node);

    if (map->speaker == node) {
        map->speaker = NULL;
    }

    /* takes back what was sent, and what else is the node's own */

    ngx_redis_node_close(node);

    while (!ngx_queue_empty(&node->pipeline.waiting)) {
        q = ngx_queue_head(&node->pipeline.waiting);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        ngx_redis_map_route(map, cmd);
    }

    ngx_queue_remove(&node->siblings);
    ngx_redis_node_destroy(node);
}
