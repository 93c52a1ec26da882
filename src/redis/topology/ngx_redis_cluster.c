
/*
 * The slots as a node of the cluster knows them.
 *
 * A node that is cut off from the others goes on answering, and what it says
 * is old.  So it is asked for the state of its cluster with each question: one
 * to which that fails is believed only while no other answers, and of two the
 * one with the higher epoch.
 */


#include "redis/topology/ngx_redis_cluster.h"
#include "redis/transport/ngx_redis_call.h"
#include "redis/reply/ngx_redis_slot.h"


static void ngx_redis_cluster_health(void *data, ngx_int_t rc,
    const redisReply *reply);
static ngx_uint_t ngx_redis_cluster_believed(ngx_redis_map_t *map,
    ngx_redis_node_t *node);
static void ngx_redis_cluster_complain(ngx_redis_node_t *node,
    ngx_uint_t level, const char *text);
static ngx_int_t ngx_redis_cluster_range(ngx_redis_map_t *map,
    ngx_redis_node_t *speaker, ngx_redis_range_t *range);
static void ngx_redis_cluster_mention(ngx_redis_map_t *map);


/* without memory nothing is known of it */

void
ngx_redis_cluster_ask_health(ngx_redis_node_t *node, ngx_msec_t timeout)
{
    const char  *words[2];

    words[0] = "CLUSTER";
    words[1] = "INFO";

    ngx_redis_facts_health(NULL, &node->question.health);

    node->question.health_command = ngx_redis_call_words(&node->pipeline,
                                        words, 2, timeout,
                                        ngx_redis_cluster_health, node);
}


static void
ngx_redis_cluster_health(void *data, ngx_int_t rc, const redisReply *reply)
{
    ngx_redis_node_t *node = data;

    node->question.health_command = NULL;

    ngx_redis_facts_health((rc == NGX_OK) ? reply : NULL,
                           &node->question.health);
}


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
ngx_redis_cluster_answer(ngx_redis_map_t *map, ngx_redis_node_t *node,
    const redisReply *reply)
{
    size_t              i;
    ngx_uint_t          known;
    ngx_redis_range_t   range;

    if (reply->type != REDIS_REPLY_ARRAY) {
        ngx_redis_cluster_complain(node, NGX_LOG_ERR,
                      "redis does not say who has the slots of its cluster");
        return NGX_DECLINED;
    }

    if (!ngx_redis_cluster_believed(map, node)) {
        return NGX_DECLINED;
    }

    known = 0;

    for (i = 0; i < reply->elements; i++) {

        if (ngx_redis_parse_range(reply, i, &range)
            && ngx_redis_cluster_range(map, node, &range) == NGX_OK)
        {
            known = 1;
        }
    }

    if (!known) {
        ngx_redis_cluster_complain(node, NGX_LOG_ERR,
                                   "redis knows no node of its cluster");
        return NGX_DECLINED;
    }

    map->sure = node->question.health.ok;
    map->epoch = map->sure ? node->question.health.epoch : 0;

    ngx_redis_cluster_mention(map);

    return NGX_OK;
}


/* when all have been asked in vain, whatever there is: they may be others */

static ngx_uint_t
ngx_redis_cluster_believed(ngx_redis_map_t *map, ngx_redis_node_t *node)
{
    ngx_redis_health_t  *health;

    if (!map->sure || map->useless >= map->nspeakers) {
        return 1;
    }

    health = &node->question.health;

    if (!health->ok) {
        ngx_redis_cluster_complain(node, NGX_LOG_WARN,
                         "redis says that its cluster fails, and is not "
                         "believed while others do not");
        return 0;
    }

    if (health->epoch && health->epoch < map->epoch) {
        ngx_redis_cluster_complain(node, NGX_LOG_WARN,
                         "redis knows an older state of its cluster than "
                         "others do, and is not believed");
        return 0;
    }

    return 1;
}


/* once, until it is believed again */

static void
ngx_redis_cluster_complain(ngx_redis_node_t *node, ngx_uint_t level,
    const char *text)
{
    if (!node->question.complained) {
        node->question.complained = 1;
        ngx_log_error(level, &node->link.log, 0, "%s", text);
    }
}


static ngx_int_t
ngx_redis_cluster_range(ngx_redis_map_t *map, ngx_redis_node_t *speaker,
    ngx_redis_range_t *range)
{
    ngx_uint_t         slot;
    ngx_redis_node_t  *node;

    node = ngx_redis_map_node(map, speaker, &range->place);
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
