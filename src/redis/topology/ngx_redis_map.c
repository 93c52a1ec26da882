
/*
 * Which node a command goes to.  What is known is used at once; when it turns
 * out to be wrong, or nothing is known, a question is asked.  Commands without
 * a node wait for the answer, but no longer than their deadlines.
 *
 * Nodes come and go with the answers.  One that goes hands back its commands,
 * in an event of its own: a reply that is being read may have been its.
 */


#include "redis/topology/ngx_redis_map.h"
#include "redis/transport/ngx_redis_ack.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/transport/ngx_redis_node.h"


/* Milliseconds after which sentinels are asked though nothing is wrong: an old
   master that does not know yet takes writes that will be lost. */
#define NGX_REDIS_MAP_FRESH       1000

#define NGX_REDIS_MAP_PAUSE       100   /* milliseconds between questions */
#define NGX_REDIS_MAP_TURNS       5     /* of sentinels in a pause, at most */


static ngx_msec_t ngx_redis_map_pause(ngx_redis_map_t *map);


ngx_uint_t
ngx_redis_map_unusable(ngx_redis_map_t *map)
{
    ngx_queue_t       *q;
    ngx_redis_node_t  *node;

    if (map->master) {
        return ngx_redis_node_unusable(map->master);
    }

    if (ngx_queue_empty(&map->nodes)) {
        return map->useless > 1 || ngx_redis_node_unusable(map->home);
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (ngx_redis_node_unusable(node)) {
            return 1;
        }
    }

    return 0;
}


ngx_redis_node_t *
ngx_redis_map_find(ngx_redis_map_t *map, ngx_uint_t slot)
{
    return map->slots ? map->slots[slot] : map->master;
}


void
ngx_redis_map_route(ngx_redis_map_t *map, ngx_redis_command_t *cmd)
{
    ngx_redis_node_t  *node;

    /* without memory it is sent with ASKING, which its owner disregards */
    (void) ngx_redis_command_asking(cmd, 0);

    node = ngx_redis_map_find(map, cmd->slot);

    if (node == NULL || node->retired) {
        ngx_redis_map_keep(map, cmd);
        ngx_redis_map_doubt(map);
        return;
    }

    ngx_redis_map_hand(node, cmd);

    if (map->slots == NULL
        && ngx_current_msec - map->last > NGX_REDIS_MAP_FRESH)
    {
        ngx_redis_map_doubt(map);
    }
}


void
ngx_redis_map_hand(ngx_redis_node_t *node, ngx_redis_command_t *cmd)
{
    if (!ngx_redis_node_can(node, cmd->needs)) {

        /* without memory it asks in vain, and then so */
        (void) ngx_redis_command_form(cmd, NGX_REDIS_SCRIPT);
    }

    ngx_redis_call_move(cmd, &node->pipeline);
    ngx_redis_ack_enter(cmd);
    ngx_redis_pipeline_add(&node->pipeline, cmd);
}


void
ngx_redis_map_keep(ngx_redis_map_t *map, ngx_redis_command_t *cmd)
{
    ngx_redis_call_move(cmd, &map->home->pipeline);
    ngx_queue_insert_tail(&map->homeless, &cmd->queue);
}


void
ngx_redis_map_send_home(ngx_redis_map_t *map)
{
    ngx_queue_t           queue, *q;
    ngx_redis_command_t  *cmd;

    /* some may stay */

    ngx_queue_init(&queue);
    ngx_queue_add(&queue, &map->homeless);
    ngx_queue_init(&map->homeless);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        ngx_redis_map_route(map, cmd);
    }
}


ngx_redis_node_t *
ngx_redis_map_node(ngx_redis_map_t *map, ngx_redis_node_t *speaker,
    const ngx_redis_place_t *place)
{
    ngx_str_t          *name;
    ngx_queue_t        *q;
    ngx_redis_node_t   *node;
    ngx_redis_place_t   full;

    full = *place;

    if (full.len == 0) {
        name = &speaker->link.site.hosts[speaker->link.site.host].name;

        full.host = (const char *) name->data;
        full.len = name->len;
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (!node->retired && ngx_redis_host_is(&node->link.site.own, &full)) {
            return node;
        }
    }

    node = ngx_redis_node_create(map->redis, map->hooks, NULL, 0,
                                 &map->redis->greeting);
    if (node == NULL) {
        return NULL;
    }

    if (ngx_redis_link_relocate(&node->link, &full) != NGX_OK) {
        ngx_redis_node_destroy(node);
        return NULL;
    }

    node->link.connect_timeout = map->connect_timeout;
    node->pipeline.home = &map->home->pipeline;

    ngx_queue_insert_tail(&map->nodes, &node->siblings);

    return node;
}


void
ngx_redis_map_retire(ngx_redis_node_t *node)
{
    node->retired = 1;

    ngx_redis_link_wake(&node->link);
}


void
ngx_redis_map_follow(ngx_redis_map_t *map, ngx_redis_link_t *link)
{
    ngx_redis_place_t  place;

    ngx_queue_insert_tail(&map->followers, &link->queue);

    if (map->redis->topology != ngx_redis_sentinel) {

        /* a cluster's nodes tell each other */

        ngx_redis_site_set(&link->site, map->redis->hosts, map->redis->nhosts);
        return;
    }

    if (map->master) {
        ngx_redis_site_place(&map->master->link.site, &place);
        (void) ngx_redis_link_relocate(link, &place);
        return;
    }

    ngx_redis_map_doubt(map);
}


void
ngx_redis_map_doubt(ngx_redis_map_t *map)
{
    if (map->redis->topology == ngx_redis_single) {
        return;
    }

    map->doubted = 1;

    ngx_redis_map_arm(map);
}


void
ngx_redis_map_trouble(ngx_redis_map_t *map)
{
    map->troubled = ngx_current_msec;

    ngx_redis_map_doubt(map);
}


void
ngx_redis_map_hint(ngx_redis_map_t *map, ngx_redis_node_t *guide)
{
    map->hinted = guide;

    ngx_redis_map_doubt(map);
}


/* never within the call: the caller may be reading a reply */

void
ngx_redis_map_arm(ngx_redis_map_t *map)
{
    ngx_msec_t  elapsed, pause;

    if (map->closing || map->timer.timer_set) {
        return;
    }

    elapsed = ngx_current_msec - map->last;
    pause = ngx_redis_map_pause(map);

    ngx_add_timer(&map->timer, (elapsed < pause) ? pause - elapsed : 0);
}


static ngx_msec_t
ngx_redis_map_pause(ngx_redis_map_t *map)
{
    if (map->redis->topology == ngx_redis_sentinel
        && map->master
        && ngx_redis_map_fails(map))
    {
        return NGX_REDIS_MAP_PAUSE / ngx_min(map->nguides, NGX_REDIS_MAP_TURNS);
    }

    return NGX_REDIS_MAP_PAUSE;
}


ngx_uint_t
ngx_redis_map_fails(ngx_redis_map_t *map)
{
    ngx_queue_t       *q;
    ngx_redis_node_t  *node;

    if (map->home->breaker.failed) {
        return 1;
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (!node->retired
            && (ngx_redis_link_fails(&node->link) || node->breaker.failed))
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_redis_map_spoke(ngx_redis_map_t *map, ngx_redis_node_t *node)
{
    node->question.turn = ++map->turns;
}
