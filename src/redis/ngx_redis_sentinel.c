
/*
 * The master as the sentinels know it.  That it is one is checked by ROLE when
 * a connection to it is made.
 */


#include "ngx_redis_internal.h"


static void ngx_redis_sentinel_follow(ngx_redis_map_t *map,
    ngx_redis_node_t *node);


ngx_uint_t
ngx_redis_sentinel_question(ngx_redis_map_t *map, const char **words)
{
    words[0] = "SENTINEL";
    words[1] = "GET-MASTER-ADDR-BY-NAME";
    words[2] = (const char *) map->redis->master.data;

    return 3;
}


ngx_int_t
ngx_redis_sentinel_answer(ngx_redis_map_t *map, const redisReply *reply)
{
    ngx_redis_node_t   *node, *old;
    ngx_redis_place_t   place;

    if (!ngx_redis_parse_master(reply, &place)) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&map->guide->log), 0,
                      "sentinel names no master \"%V\"", &map->redis->master);
        return NGX_DECLINED;
    }

    old = map->master;

    if (old && ngx_redis_host_is(&old->own, &place)) {
        return NGX_OK;
    }

    node = ngx_redis_map_node(map, map->guide, &place);
    if (node == NULL) {
        return NGX_DECLINED;
    }

    map->master = node;

    if (old) {
        ngx_log_error(NGX_LOG_NOTICE, &map->guide->log, 0,
                      "redis master \"%V\" is now at %V:%ui",
                      &map->redis->master, &node->own.name,
                      (ngx_uint_t) node->own.port);

        ngx_redis_map_retire(old);
    }

    ngx_redis_sentinel_follow(map, node);

    return NGX_OK;
}


static void
ngx_redis_sentinel_follow(ngx_redis_map_t *map, ngx_redis_node_t *node)
{
    ngx_queue_t          *q;
    ngx_redis_channel_t  *channel;

    for (q = ngx_queue_head(&map->channels);
         q != ngx_queue_sentinel(&map->channels);
         q = ngx_queue_next(q))
    {
        channel = ngx_queue_data(q, ngx_redis_channel_t, queue);

        /* without memory it stays where it is, and hears nothing */
        (void) ngx_redis_node_follow(channel->node, node);
    }
}
