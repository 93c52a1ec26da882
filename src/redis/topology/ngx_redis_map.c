
/*
 * Which node a command goes to.  What is known is used at once; when it turns
 * out to be wrong, or nothing is known, a question is asked.  Commands without
 * a node wait for the answer, but no longer than their deadlines.
 *
 * Nodes come and go with the answers.  One that goes hands back its commands,
 * in an event of its own: a reply that is being read may have been its.
 */


#include "redis/conf/ngx_redis_internal.h"


#define NGX_REDIS_MAP_HOPS        16    /* of one command */

/* Milliseconds after which sentinels are asked though nothing is wrong: an old
   master that does not know yet takes writes that will be lost. */
#define NGX_REDIS_MAP_FRESH       1000


static ngx_redis_map_t *ngx_redis_map_create(ngx_redis_t *redis);
static ngx_int_t ngx_redis_map_init(ngx_redis_map_t *map);
static ngx_int_t ngx_redis_map_guides(ngx_redis_map_t *map);
static ngx_int_t ngx_redis_map_hop(ngx_redis_map_t *map,
    ngx_redis_command_t *cmd, ngx_redis_error_t *error);


ngx_redis_map_t *
ngx_redis_map_get(ngx_redis_t *redis)
{
    if (redis->map == NULL) {
        redis->map = ngx_redis_map_create(redis);
    }

    return redis->map;
}


static ngx_redis_map_t *
ngx_redis_map_create(ngx_redis_t *redis)
{
    ngx_redis_map_t  *map;

    map = ngx_calloc(sizeof(ngx_redis_map_t), ngx_cycle->log);
    if (map == NULL) {
        return NULL;
    }

    map->redis = redis;
    map->ident = -1;

    ngx_queue_init(&map->nodes);
    ngx_queue_init(&map->channels);
    ngx_queue_init(&map->homeless);

    if (ngx_redis_map_init(map) != NGX_OK) {
        ngx_redis_map_destroy(map);
        return NULL;
    }

    map->timer.handler = ngx_redis_map_handler;
    map->timer.data = map;
    map->timer.log = &map->home->log;
    map->timer.cancelable = 1;

    return map;
}


static ngx_int_t
ngx_redis_map_init(ngx_redis_map_t *map)
{
    ngx_redis_t  *redis;

    redis = map->redis;

    if (redis->topology == ngx_redis_single) {
        map->home = ngx_redis_node_create(redis, redis->hosts, redis->nhosts,
                                          &redis->greeting);
        map->master = map->home;

        return map->home ? NGX_OK : NGX_ERROR;
    }

    map->home = ngx_redis_node_create(redis, NULL, 0, &redis->greeting);
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

    return ngx_redis_map_guides(map);
}


static ngx_int_t
ngx_redis_map_guides(ngx_redis_map_t *map)
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
        node = ngx_redis_node_create(redis, &redis->hosts[n], 1,
                                     &redis->guide_greeting);
        if (node == NULL) {
            return NGX_ERROR;
        }

        node->guide = 1;

        map->guides[n] = node;
        map->nguides++;
    }

    return NGX_OK;
}


void
ngx_redis_map_destroy(ngx_redis_map_t *map)
{
    ngx_uint_t            n;
    ngx_queue_t          *q;
    ngx_redis_node_t     *node;
    ngx_redis_command_t  *cmd;

    map->closing = 1;

    while (!ngx_queue_empty(&map->channels)) {
        q = ngx_queue_head(&map->channels);
        ngx_queue_remove(q);
        ngx_queue_init(q);
    }

    while (!ngx_queue_empty(&map->homeless)) {
        q = ngx_queue_head(&map->homeless);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        ngx_redis_command_free(cmd);
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

    if (node && !node->retired) {
        ngx_redis_move(cmd, node);
        ngx_redis_ack_enter(cmd);
        ngx_queue_insert_tail(&node->waiting, &cmd->queue);
        ngx_redis_node_wake(node);

        if (map->slots == NULL
            && ngx_current_msec - map->last > NGX_REDIS_MAP_FRESH)
        {
            ngx_redis_map_doubt(map);
        }

        return;
    }

    ngx_redis_move(cmd, map->home);
    ngx_queue_insert_tail(&map->homeless, &cmd->queue);

    ngx_redis_map_doubt(map);
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


ngx_int_t
ngx_redis_map_redirect(ngx_redis_command_t *cmd, const redisReply *reply)
{
    ngx_redis_map_t    *map;
    ngx_redis_node_t   *node;
    ngx_redis_error_t   error;

    node = cmd->node;
    map = node->redis->map;

    ngx_redis_parse_error(reply, &error);

    switch (error.kind) {

    case ngx_redis_error_other:
    case ngx_redis_error_noscript:
        return NGX_DECLINED;

    case ngx_redis_error_readonly:

        if (node == map->home && !ngx_redis_node_may_move(node)) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&node->log), 0,
                      "redis is not a master, or not any more");
        ngx_redis_node_leave(node);
        break;

    case ngx_redis_error_tryagain:

        if (map->slots == NULL) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_WARN, ngx_redis_tally(&node->log), 0,
                      "redis moves a slot and said TRYAGAIN to a command");

        /* for as long as that takes, which who sent it can do better about */

        if (cmd->several) {
            return NGX_DECLINED;
        }

        break;

    default:

        if (map->slots == NULL) {
            ngx_redis_info_clustered(node);
            return NGX_DECLINED;
        }
    }

    if (cmd->handler == NULL || cmd->script == NULL) {
        ngx_redis_map_doubt(map);
        return NGX_DECLINED;
    }

    if (++cmd->hops > NGX_REDIS_MAP_HOPS) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&node->log), 0,
                      "redis redirected a command %ui times", cmd->hops - 1);
        return NGX_DECLINED;
    }

    return ngx_redis_map_hop(map, cmd, &error);
}


static ngx_int_t
ngx_redis_map_hop(ngx_redis_map_t *map, ngx_redis_command_t *cmd,
    ngx_redis_error_t *error)
{
    ngx_redis_node_t  *node;

    ngx_redis_command_rewind(cmd);

    switch (error->kind) {

    case ngx_redis_error_moved:
    case ngx_redis_error_ask:

        node = ngx_redis_map_node(map, cmd->node, &error->place);

        if (node == NULL
            || ngx_redis_command_asking(cmd,
                                    error->kind == ngx_redis_error_ask)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        if (error->kind == ngx_redis_error_moved) {
            map->slots[error->slot] = node;
            ngx_redis_map_doubt(map);
        }

        ngx_redis_move(cmd, node);
        ngx_redis_ack_enter(cmd);
        ngx_queue_insert_tail(&node->waiting, &cmd->queue);
        ngx_redis_node_wake(node);

        return NGX_OK;

    default:

        /* until the next answer; a single Redis: the next connection */

        if (map->home == map->master) {
            ngx_queue_insert_tail(&cmd->node->waiting, &cmd->queue);
            return NGX_OK;
        }

        ngx_redis_map_spoke(map, cmd->node);

        ngx_redis_move(cmd, map->home);
        ngx_queue_insert_tail(&map->homeless, &cmd->queue);

        ngx_redis_map_trouble(map);

        return NGX_OK;
    }
}


ngx_redis_node_t *
ngx_redis_map_node(ngx_redis_map_t *map, ngx_redis_node_t *speaker,
    const ngx_redis_place_t *place)
{
    ngx_queue_t        *q;
    ngx_redis_node_t   *node;
    ngx_redis_place_t   full;

    full = *place;

    if (full.len == 0) {
        full.host = (const char *) speaker->hosts[speaker->host].name.data;
        full.len = speaker->hosts[speaker->host].name.len;
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (!node->retired && ngx_redis_host_is(&node->own, &full)) {
            return node;
        }
    }

    node = ngx_redis_node_create(map->redis, NULL, 0, &map->redis->greeting);
    if (node == NULL) {
        return NULL;
    }

    if (ngx_redis_node_relocate(node, &full) != NGX_OK) {
        ngx_redis_node_destroy(node);
        return NULL;
    }

    node->connect_timeout = map->connect_timeout;

    ngx_queue_insert_tail(&map->nodes, &node->siblings);

    return node;
}


void
ngx_redis_map_retire(ngx_redis_node_t *node)
{
    node->retired = 1;

    ngx_redis_node_wake(node);
}


void
ngx_redis_map_evacuate(ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_map_t      *map;
    ngx_redis_command_t  *cmd;

    map = node->redis->map;

    ngx_redis_question_cancel(node);

    if (map->speaker == node) {
        map->speaker = NULL;
    }

    /* takes back what was sent, and what else is the node's own */

    ngx_redis_node_close(node);
    ngx_redis_breaker_destroy(node);

    while (!ngx_queue_empty(&node->waiting)) {
        q = ngx_queue_head(&node->waiting);
        ngx_queue_remove(q);

        cmd = ngx_queue_data(q, ngx_redis_command_t, queue);
        ngx_redis_map_route(map, cmd);
    }

    ngx_queue_remove(&node->siblings);
    ngx_redis_node_destroy(node);
}


void
ngx_redis_map_follow(ngx_redis_map_t *map, ngx_redis_channel_t *channel)
{
    ngx_redis_node_t  *node;

    node = channel->node;

    ngx_queue_insert_tail(&map->channels, &channel->queue);

    if (map->redis->topology != ngx_redis_sentinel) {

        /* a cluster's nodes tell each other */

        node->hosts = map->redis->hosts;
        node->nhosts = map->redis->nhosts;
        return;
    }

    if (map->master) {
        (void) ngx_redis_node_follow(node, map->master);
        return;
    }

    ngx_redis_map_doubt(map);
}
