
/*
 * The master as the sentinels know it.  That it is one is checked by ROLE when
 * a connection to it is made.
 *
 * Each of them is listened to as well: what it publishes of a change is not
 * believed, but a reason to ask it.  Where it refuses that, or a message is
 * lost, the questions that are asked anyway serve.
 */


#include "redis/topology/ngx_redis_sentinel.h"
#include "redis/topology/ngx_redis_channel.h"


/* milliseconds: a refusal is a matter of access rights */
#define NGX_REDIS_SENTINEL_REFUSED  3600000


static void ngx_redis_sentinel_told(void *data, const ngx_str_t *message);
static void ngx_redis_sentinel_follow(ngx_redis_map_t *map,
    ngx_redis_node_t *node);


static ngx_str_t  ngx_redis_sentinel_channel = ngx_string("+switch-master");


ngx_uint_t
ngx_redis_sentinel_question(ngx_redis_map_t *map, const char **words)
{
    words[0] = "SENTINEL";
    words[1] = "GET-MASTER-ADDR-BY-NAME";
    words[2] = (const char *) map->redis->master.data;

    return 3;
}


ngx_int_t
ngx_redis_sentinel_answer(ngx_redis_map_t *map, ngx_redis_node_t *guide,
    const redisReply *reply)
{
    ngx_redis_node_t   *node, *old;
    ngx_redis_place_t   place;

    if (!ngx_redis_parse_master(reply, &place)) {

        if (!guide->question.complained) {
            guide->question.complained = 1;
            ngx_log_error(NGX_LOG_ERR, &guide->link.log, 0,
                          "sentinel names no master \"%V\"",
                          &map->redis->master);
        }

        return NGX_DECLINED;
    }

    old = map->master;

    if (old && ngx_redis_host_is(&old->link.site.own, &place)) {
        return NGX_OK;
    }

    node = ngx_redis_map_node(map, guide, &place);
    if (node == NULL) {
        return NGX_DECLINED;
    }

    map->master = node;

    if (old) {
        ngx_log_error(NGX_LOG_NOTICE, &guide->link.log, 0,
                      "redis master \"%V\" is now at %V:%ui",
                      &map->redis->master, &node->link.site.own.name,
                      (ngx_uint_t) node->link.site.own.port);

        ngx_redis_map_retire(old);
    }

    ngx_redis_sentinel_follow(map, node);

    return NGX_OK;
}


static void
ngx_redis_sentinel_follow(ngx_redis_map_t *map, ngx_redis_node_t *node)
{
    ngx_queue_t        *q;
    ngx_redis_link_t   *link;
    ngx_redis_place_t   place;

    ngx_redis_site_place(&node->link.site, &place);

    for (q = ngx_queue_head(&map->followers);
         q != ngx_queue_sentinel(&map->followers);
         q = ngx_queue_next(q))
    {
        link = ngx_queue_data(q, ngx_redis_link_t, queue);

        /* without memory it stays where it is, and hears nothing */
        (void) ngx_redis_link_relocate(link, &place);
    }
}


void
ngx_redis_sentinel_watch(ngx_redis_map_t *map)
{
    ngx_uint_t            i;
    ngx_str_t             none;
    ngx_redis_t          *redis;
    ngx_redis_channel_t  *watch;

    redis = map->redis;

    if (redis->topology != ngx_redis_sentinel) {
        return;
    }

    ngx_str_null(&none);

    for (i = 0; i < map->nguides; i++) {

        if (map->watches[i]) {
            ngx_redis_channel_wake(map->watches[i]);
            continue;
        }

        watch = ngx_redis_channel_open(redis, &redis->guide_greeting,
                                       &ngx_redis_sentinel_channel, &none,
                                       map->connect_timeout,
                                       ngx_redis_sentinel_told,
                                       map->guides[i]);
        if (watch == NULL) {
            continue;                   /* with the next question */
        }

        ngx_redis_channel_watch(watch, map->guides[i]->link.site.hosts,
                                NGX_REDIS_SENTINEL_REFUSED);

        map->watches[i] = watch;
        ngx_redis_channel_listen(watch, 1);
    }
}


static void
ngx_redis_sentinel_told(void *data, const ngx_str_t *message)
{
    ngx_redis_node_t *guide = data;

    ngx_str_t  *name;

    name = &guide->link.redis->master;

    /* without a message: what came before went unheard */

    if (message == NULL
        || (message->len > name->len
            && ngx_memcmp(message->data, name->data, name->len) == 0
            && message->data[name->len] == ' '))
    {
        ngx_redis_map_hint(guide->link.redis->map, guide);
    }
}
