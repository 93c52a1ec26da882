
/*
 * The face: what its callers hand to the client, and what they may ask of it.
 */


#include "redis/ngx_redis.h"
#include "redis/conf/ngx_redis_conf.h"
#include "redis/reply/ngx_redis_slot.h"
#include "redis/topology/ngx_redis_map.h"
#include "redis/topology/ngx_redis_topology.h"
#include "redis/transport/ngx_redis_call.h"
#include <ngx_sha1.h>


void
ngx_redis_script_init(ngx_redis_script_t *script)
{
    u_char     *p, digest[20];
    ngx_sha1_t  sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, script->source, ngx_strlen(script->source));
    ngx_sha1_final(digest, &sha1);

    p = ngx_cpymem(script->evalsha, NGX_REDIS_EVALSHA,
                   sizeof(NGX_REDIS_EVALSHA) - 1);
    p = ngx_hex_dump(p, digest, sizeof(digest));

    *p++ = CR;
    *p = LF;
}


ngx_str_t *
ngx_redis_name(ngx_redis_t *redis)
{
    return &redis->name;
}


ngx_uint_t
ngx_redis_unusable(ngx_redis_t *redis)
{
    return redis->map && ngx_redis_map_unusable(redis->map);
}


ngx_int_t
ngx_redis_checkup(ngx_redis_t *redis, const ngx_redis_options_t *options,
    ngx_redis_visitor_t *visitor)
{
    if (ngx_redis_topology_get(redis) == NULL) {
        return NGX_ERROR;
    }

    return ngx_redis_checkup_visit(redis, options, visitor);
}


ngx_uint_t
ngx_redis_sharded(ngx_redis_t *redis)
{
    return redis->topology == ngx_redis_cluster;
}


ngx_uint_t
ngx_redis_together(ngx_redis_t *redis, ngx_str_t *one, ngx_str_t *other)
{
    return redis->topology != ngx_redis_cluster
           || ngx_redis_slot(one->data, one->len)
              == ngx_redis_slot(other->data, other->len);
}


ngx_redis_command_t *
ngx_redis_ask(ngx_redis_t *redis, const ngx_redis_asker_t *asker, void *data,
    ngx_uint_t straight, ngx_uint_t needs, const ngx_redis_options_t *options)
{
    ngx_uint_t            sharded;
    ngx_redis_map_t      *map;
    ngx_redis_node_t     *node;
    ngx_redis_command_t  *cmd;

    map = ngx_redis_topology_get(redis);
    if (map == NULL) {
        return NULL;
    }

    sharded = (map->slots != NULL);
    node = sharded ? NULL : map->master;

    /* in a cluster the words say which node it is, which has the last say */

    if (!sharded && (node == NULL || !ngx_redis_node_can(node, needs))) {
        straight = NGX_REDIS_SCRIPT;
    }

    cmd = ngx_redis_command_create(&map->home->link.log, asker, data, straight,
                                   needs, sharded);
    if (cmd == NULL) {
        return NULL;
    }

    if (sharded) {
        node = ngx_redis_map_find(map, cmd->slot);
    }

    if (node == NULL) {
        node = map->home;
    }

    cmd->pipeline = &map->home->pipeline;
    cmd->replicas = options->replicas;
    cmd->wait_timeout = options->wait_timeout;

    map->connect_timeout = options->connect_timeout;
    redis->timeout = options->timeout;
    node->link.connect_timeout = options->connect_timeout;

    if (ngx_redis_breaker_refuses(&node->breaker, options)) {
        ngx_redis_map_trouble(map);

        /* in no queue; its deadline is now, which is never within this call */

        cmd->refused = 1;
        ngx_redis_call(cmd, 0, asker->done, data);

        return cmd;
    }

    ngx_redis_call(cmd, options->timeout, asker->done, data);

    ngx_redis_map_route(map, cmd);

    return cmd;
}


ngx_int_t
ngx_redis_cancel(ngx_redis_command_t *cmd)
{
    return ngx_redis_call_cancel(cmd);
}


ngx_redis_channel_t *
ngx_redis_channel_create(ngx_redis_t *redis, ngx_str_t *prefix,
    ngx_msec_t connect_timeout, ngx_redis_message_pt handler, void *data)
{
    u_char                text[sizeof("channel:") - 1 + 16];
    ngx_str_t             suffix;
    ngx_redis_map_t      *map;
    ngx_redis_channel_t  *channel;

    map = ngx_redis_topology_get(redis);
    if (map == NULL) {
        return NULL;
    }

    /* two workers that draw the same are told too much, and no harm is done */

    suffix.data = text;
    suffix.len = ngx_sprintf(text, "channel:%08xD%08xD",
                             (uint32_t) ngx_random(), (uint32_t) ngx_random())
                 - text;

    channel = ngx_redis_channel_open(redis, &redis->greeting, prefix, &suffix,
                                     connect_timeout, handler, data);
    if (channel == NULL) {
        return NULL;
    }

    ngx_redis_map_follow(map, ngx_redis_channel_link(channel));

    return channel;
}


void
ngx_redis_init(ngx_array_t *nodes, ngx_log_t *log)
{
    ngx_uint_t     i;
    ngx_redis_t  **redis;

    redis = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {
        ngx_redis_password_knock(&redis[i]->password, log);
    }
}


void
ngx_redis_close(ngx_array_t *nodes)
{
    ngx_uint_t     i;
    ngx_redis_t  **redis;

    redis = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {

        if (redis[i]->map) {
            ngx_redis_topology_end(redis[i]->map);
            redis[i]->map = NULL;
        }
    }

    ngx_redis_tally_end();
}
