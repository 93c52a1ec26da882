
/*
 * Replies that send a command elsewhere, or to a later time.
 */


#include "redis/topology/ngx_redis_redirect.h"
#include "redis/transport/ngx_redis_info.h"
#include "redis/transport/ngx_redis_tally.h"


#define NGX_REDIS_MAP_HOPS        16    /* of one command */


static ngx_int_t ngx_redis_redirect_hop(ngx_redis_map_t *map,
    ngx_redis_command_t *cmd, ngx_redis_error_t *error);


ngx_int_t
ngx_redis_redirect(ngx_redis_command_t *cmd, const redisReply *reply)
{
    ngx_redis_map_t    *map;
    ngx_redis_node_t   *node;
    ngx_redis_error_t   error;

    node = ngx_redis_node_of(cmd->pipeline);
    map = node->link.redis->map;

    ngx_redis_parse_error(reply, &error);

    switch (error.kind) {

    case ngx_redis_error_other:
    case ngx_redis_error_noscript:
        return NGX_DECLINED;

    case ngx_redis_error_readonly:

        if (node == map->home
            && !ngx_redis_site_may_move(&node->link.site, map->redis))
        {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, ngx_redis_link_tally(&node->link), 0,
                      "redis is not a master, or not any more");
        ngx_redis_link_leave(&node->link);
        break;

    case ngx_redis_error_tryagain:

        if (map->slots == NULL) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_WARN, ngx_redis_link_tally(&node->link), 0,
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

    if (cmd->handler == NULL || cmd->asker == NULL) {
        ngx_redis_map_doubt(map);
        return NGX_DECLINED;
    }

    if (++cmd->hops > NGX_REDIS_MAP_HOPS) {
        ngx_log_error(NGX_LOG_ERR, ngx_redis_link_tally(&node->link), 0,
                      "redis redirected a command %ui times", cmd->hops - 1);
        return NGX_DECLINED;
    }

    return ngx_redis_redirect_hop(map, cmd, &error);
}


static ngx_int_t
ngx_redis_redirect_hop(ngx_redis_map_t *map, ngx_redis_command_t *cmd,
    ngx_redis_error_t *error)
{
    ngx_redis_node_t  *node;

    ngx_redis_command_rewind(cmd);

    switch (error->kind) {

    case ngx_redis_error_moved:
    case ngx_redis_error_ask:

        node = ngx_redis_map_node(map, ngx_redis_node_of(cmd->pipeline),
                                  &error->place);

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

        ngx_redis_map_hand(node, cmd);

        return NGX_OK;

    default:

        /* until the next answer; a single Redis: the next connection */

        if (map->home == map->master) {
            ngx_queue_insert_tail(&cmd->pipeline->waiting, &cmd->queue);
            return NGX_OK;
        }

        ngx_redis_map_spoke(map, ngx_redis_node_of(cmd->pipeline));
        ngx_redis_map_keep(map, cmd);
        ngx_redis_map_trouble(map);

        return NGX_OK;
    }
}
