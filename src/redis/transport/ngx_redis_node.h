
/*
 * A node: a link that takes commands.
 */

#ifndef _NGX_REDIS_NODE_H_INCLUDED_
#define _NGX_REDIS_NODE_H_INCLUDED_


#include "redis/transport/ngx_redis_pipeline.h"
#include "redis/reply/ngx_redis_facts.h"


typedef struct ngx_redis_node_s   ngx_redis_node_t;
typedef struct ngx_redis_spare_s  ngx_redis_spare_t;


/* what its map does */
typedef struct {

    /* a command or a connection has failed */
    void                   (*trouble)(ngx_redis_node_t *node);

    /* "reply" may send the command elsewhere: NGX_OK when that has been done,
       NGX_DECLINED: the reply is the caller's */
    ngx_int_t              (*reply)(ngx_redis_command_t *cmd,
                                    const redisReply *reply);

    /* the connection is lost: before what was written waits again */
    void                   (*lost)(ngx_redis_node_t *node);

    /* frees a node that is retired; in an event of its own */
    void                   (*retired)(ngx_redis_node_t *node);
} ngx_redis_node_hooks_t;


/* what the map asks a node */
typedef struct {
    ngx_redis_command_t     *command;   /* pending, or NULL */
    ngx_redis_command_t     *health_command;    /* before it, or NULL */
    ngx_redis_health_t       health;    /* as the node has said */
    ngx_uint_t               turn;      /* the map's at that time */
    unsigned                 complained:1;  /* in the log, of what it says */
} ngx_redis_question_t;


/* a link that takes commands */
struct ngx_redis_node_s {
    ngx_redis_link_t         link;      /* the first */
    ngx_redis_pipeline_t     pipeline;
    ngx_redis_breaker_t      breaker;
    ngx_redis_command_t     *probe;     /* of the breaker, or NULL */
    const ngx_redis_node_hooks_t  *hooks;

    ngx_redis_spare_t       *spare;     /* beside a silent connection: another
                                           one in the making, or NULL */
    ngx_redis_spare_t       *late;      /* the one that was silent, or NULL */
    ngx_msec_t               heard;     /* when something was read last */
    ngx_msec_t               answered;  /* when a request's command was, without
                                           an error; valid where "well" */
    ngx_msec_t               spared;    /* when a spare one was last made */
    ngx_event_t              doubt;     /* a timer: is it silent? */
    ngx_msec_t               doubted;   /* when that is due */

    ngx_redis_command_t     *info;      /* INFO is pending, or NULL */
    ngx_uint_t               can;       /* NGX_REDIS_SET_NX_GET ..., as its
                                           connection is known to */
    ngx_uint_t               cannot;    /* and as it was seen not to */
    ngx_uint_t               unheard;   /* connections in a row on which it was
                                           not answered in time */
    unsigned                 brings:1;  /* SCRIPT LOAD may end a connection:
                                           until INFO is answered */
    unsigned                 discreet:1;    /* INFO is not to be asked again */
    unsigned                 clustered:1;   /* as it was told */
    unsigned                 evicts:1;  /* as it was warned about */

    ngx_queue_t              siblings;  /* in the map's nodes, if any */
    ngx_redis_question_t     question;  /* the map's */
    unsigned                 well:1;    /* it has answered so, and was not found
                                           ill since */
    unsigned                 ill:1;     /* found so by a checkup, and not well
                                           since */
    unsigned                 retired:1; /* it is to go */
    unsigned                 mentioned:1;   /* in the answer being read, or the
                                           list being made */
    unsigned                 guide:1;   /* takes questions only */
};


/* "hosts" and "greeting" are the caller's and stay */
ngx_redis_node_t *ngx_redis_node_create(ngx_redis_t *redis,
    const ngx_redis_node_hooks_t *hooks, ngx_redis_host_t *hosts,
    ngx_uint_t nhosts, ngx_redis_greeting_t *greeting);
void ngx_redis_node_destroy(ngx_redis_node_t *node);

/* no command is taken any more */
void ngx_redis_node_close(ngx_redis_node_t *node);

/* whether it fails at present: it was not just one connection that is lost */
#define ngx_redis_node_unusable(node)                                         \
    (ngx_redis_link_fails(&(node)->link) || (node)->breaker.open              \
     || (node)->ill)

/* whether it is known to be able to do all that is needed */
#define ngx_redis_node_can(node, needs)                                       \
    (((node)->can & ~(node)->cannot & (needs)) == (needs))

/* whose pipeline it is */
#define ngx_redis_node_of(p)  ngx_queue_data(p, ngx_redis_node_t, pipeline)


#endif /* _NGX_REDIS_NODE_H_INCLUDED_ */
