
/*
 * The slots as a node of the cluster knows them.
 */


#include "ngx_redis_internal.h"


static ngx_int_t ngx_redis_cluster_range(ngx_redis_map_t *map,
    ngx_redis_range_t *range);
static void ngx_redis_cluster_mention(ngx_redis_map_t *map);


ngx_uint_t
ngx_redis_cluster_question(const char **words)
{
    words[0] = "CLUSTER";
    words[1] = "SLOTS";

    return 2;
}


/*
 * An element that makes no sense, as one whose node's address is unknown, is
 * left out.  Its slots, as those that are not named, go to whoever has had
 * them: it knows better.
 */

ngx_int_t
ngx_redis_cluster_answer(ngx_redis_map_t *map, const redisReply *reply)
{
    size_t              i;
    ngx_uint_t          known;
    ngx_redis_range_t   range;

    if (reply->type != REDIS_REPLY_ARRAY) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&map->asked->log), 0,
                      "redis does not say who has the slots of its cluster");
        return NGX_DECLINED;
    }

    known = 0;

    for (i = 0; i < reply->elements; i++) {

        if (ngx_redis_parse_range(reply, i, &range)
            && ngx_redis_cluster_range(map, &range) == NGX_OK)
        {
            known = 1;
        }
    }

    if (!known) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(&map->asked->log), 0,
                      "redis knows no node of its cluster");
        return NGX_DECLINED;
    }

    ngx_redis_cluster_mention(map);

    return NGX_OK;
}


static ngx_int_t
ngx_redis_cluster_range(ngx_redis_map_t *map, ngx_redis_range_t *range)
{
    ngx_uint_t         slot;
    ngx_redis_node_t  *node;

    node = ngx_redis_map_node(map, map->asked, &range->place);
    if (node == NULL) {
        return NGX_ERROR;
    }

    for (slot = range->first; slot <= range->last; slot++) {
        map->slots[slot] = node;
    }

    return NGX_OK;
}


/* nodes without a slot go */

static void
ngx_redis_cluster_mention(ngx_redis_map_t *map)
{
    ngx_uint_t         slot;
    ngx_queue_t       *q;
    ngx_redis_node_t  *node;

    for (slot = 0; slot < NGX_REDIS_SLOTS; slot++) {
        if (map->slots[slot]) {
            map->slots[slot]->mentioned = 1;
        }
    }

    for (q = ngx_queue_head(&map->nodes);
         q != ngx_queue_sentinel(&map->nodes);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_redis_node_t, siblings);

        if (!node->mentioned) {
            ngx_redis_map_retire(node);
        }

        node->mentioned = 0;
    }
}
