
/*
 * Which node a command goes to.
 */

#ifndef _NGX_REDIS_MAP_H_INCLUDED_
#define _NGX_REDIS_MAP_H_INCLUDED_


#include "redis/transport/ngx_redis_node.h"


/*
 * Where a worker's commands go.  A single Redis has one node, which is the
 * master and the commands' home.  Otherwise the URL's servers are guides, the
 * sentinels or nodes of the cluster, and the home has no server: commands wait
 * there while no node is known for them.
 */
struct ngx_redis_map_s {
    ngx_redis_t             *redis;
    ngx_redis_node_t        *home;
    ngx_redis_node_t        *master;    /* NULL: not known, or a cluster */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t                ident;

    const ngx_redis_node_hooks_t  *hooks;   /* of the nodes */
    ngx_redis_node_t       **slots;     /* a cluster's; NULL: not known */
    ngx_queue_t              nodes;     /* all but the home and the guides */
    ngx_queue_t              followers; /* links that go where it is */
    ngx_queue_t              homeless;  /* commands for which no node is known:
                                           the home's, in no queue of it */

    ngx_redis_node_t       **guides;    /* one for each host of the URL */
    ngx_redis_channel_t    **watches;   /* of sentinels, each NULL at first */
    ngx_uint_t               nguides;
    ngx_redis_node_t        *speaker;   /* whose answer was the last of use, or
                                           NULL */
    ngx_redis_node_t        *hinted;    /* the guide to be asked next, or
                                           NULL */
    unsigned long long       epoch;     /* of the cluster, as the answer that is
                                           believed; 0: not known */
    ngx_uint_t               turns;     /* questions */
    ngx_uint_t               nspeakers; /* who might have been asked the last */
    ngx_uint_t               useless;   /* answers in a row */
    ngx_msec_t               last;      /* when a question was sent */
    ngx_msec_t               troubled;  /* when something failed */
    ngx_event_t              timer;     /* the next question */
    ngx_redis_checkup_t     *checkup;   /* the last one, or NULL */
    ngx_msec_t               connect_timeout;   /* the newest command's */
    unsigned                 doubted:1; /* since the last question */
    unsigned                 sure:1;    /* the cluster does not fail */
    unsigned                 closing:1; /* the worker ends */
};


/* where commands of this slot go; NULL: not known */
ngx_redis_node_t *ngx_redis_map_find(ngx_redis_map_t *map, ngx_uint_t slot);

/* hands a live command, in no queue, to its node, or keeps it until that is
   known */
void ngx_redis_map_route(ngx_redis_map_t *map, ngx_redis_command_t *cmd);

/* as above, to this node */
void ngx_redis_map_hand(ngx_redis_node_t *node, ngx_redis_command_t *cmd);

/* as above, and keeps it */
void ngx_redis_map_keep(ngx_redis_map_t *map, ngx_redis_command_t *cmd);

/* commands for which no node was known go to where it is known now */
void ngx_redis_map_send_home(ngx_redis_map_t *map);

/* the node at this place, perhaps a new one; NULL when memory failed */
ngx_redis_node_t *ngx_redis_map_node(ngx_redis_map_t *map,
    ngx_redis_node_t *speaker, const ngx_redis_place_t *place);

/* the node goes, later; its commands find another way */
void ngx_redis_map_retire(ngx_redis_node_t *node);

/* a link follows the master */
void ngx_redis_map_follow(ngx_redis_map_t *map, ngx_redis_link_t *link);

/* what is known may be wrong: asks, but not too often */
void ngx_redis_map_doubt(ngx_redis_map_t *map);

/* as above, for a command or a connection failed: goes on asking while what is
   known fails */
void ngx_redis_map_trouble(ngx_redis_map_t *map);

/* as above, and that guide is to be asked */
void ngx_redis_map_hint(ngx_redis_map_t *map, ngx_redis_node_t *guide);

/* the node is the last to be asked next */
void ngx_redis_map_spoke(ngx_redis_map_t *map, ngx_redis_node_t *node);

/* sets the timer of the next question */
void ngx_redis_map_arm(ngx_redis_map_t *map);

/* whether any of its nodes, or the home, is out of order */
ngx_uint_t ngx_redis_map_fails(ngx_redis_map_t *map);

/* whether the master, any of a cluster's nodes or, where none is known, all
   that might tell are out of order */
ngx_uint_t ngx_redis_map_unusable(ngx_redis_map_t *map);


#endif /* _NGX_REDIS_MAP_H_INCLUDED_ */
