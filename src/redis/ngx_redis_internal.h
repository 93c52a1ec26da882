
/*
 * The client's inside: what a directive says (ngx_redis_t), what a worker
 * keeps of it (ngx_redis_node_t), and a command.
 *
 *     face         ngx_redis.c             submit, cancel, deadlines
 *     node         ngx_redis_node.c        connect, close, back off
 *     connection   ngx_redis_connection.c  read and write
 *     greeting     ngx_redis_greeting.c    AUTH, SELECT, PING
 *     channel      ngx_redis_channel.c     SUBSCRIBE and messages
 *     script       ngx_redis_script.c      EVALSHA and EVAL
 *     url          ngx_redis_url.c         the directive's words
 */

#ifndef _NGX_REDIS_INTERNAL_H_INCLUDED_
#define _NGX_REDIS_INTERNAL_H_INCLUDED_


#include "ngx_redis.h"
#include <ngx_event_connect.h>


#define NGX_REDIS_BUFFER_SIZE     16384
#define NGX_REDIS_GREETINGS       3     /* AUTH, SELECT, PING */


typedef struct ngx_redis_node_s  ngx_redis_node_t;


/*
 * down -> connecting -> greeting -> ready, and from each back to down;
 * only ngx_redis_node.c moves it
 */
typedef enum {
    ngx_redis_node_down = 0,
    ngx_redis_node_connecting,
    ngx_redis_node_greeting,            /* the replies to it are awaited */
    ngx_redis_node_ready                /* commands may be written */
} ngx_redis_node_state_e;


struct ngx_redis_s {
    ngx_str_t                words;     /* of the directive, each with NUL */
    ngx_str_t                name;      /* for the log */
    ngx_str_t                user;      /* empty: the default one */
    ngx_uint_t               db;
    ngx_addr_t              *addrs;
    ngx_uint_t               naddrs;
    ngx_str_t                greeting;  /* in RESP; holds the password */
    const char              *greetings[NGX_REDIS_GREETINGS];
    ngx_uint_t               ngreetings;
    ngx_redis_node_t        *node;      /* this worker's, NULL until its first
                                           command */
};


struct ngx_redis_node_s {
    ngx_redis_t             *redis;
    ngx_queue_t              sent;      /* commands of which a byte was
                                           written, in the replies' order; only
                                           the last may be incomplete */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t                ident;

    ngx_queue_t              waiting;   /* commands not written at all; none
                                           of them is abandoned */
    ngx_uint_t               live;      /* commands, sent or waiting, whose
                                           handler is still to be called */
    ngx_redis_node_state_e   state;
    ngx_peer_connection_t    peer;      /* .connection is NULL when down */
    redisReader             *reader;    /* greeting, ready */
    ngx_uint_t               greeted;   /* greeting: replies that came */
    ngx_buf_t                greeting;  /* what is left to be written of it;
                                           a channel's: and of its PING */
    ngx_chain_t              greeting_link;
    ngx_redis_channel_t     *channel;   /* for which the node listens; NULL: it
                                           takes commands */

    ngx_uint_t               addr;      /* the one in use or to be tried */
    ngx_uint_t               tried;     /* addresses that failed in a row */
    ngx_uint_t               failures;  /* connections in a row on which no
                                           command was answered */
    ngx_event_t              backoff;   /* a timer: no connecting before */
    ngx_event_t              work;      /* posted: connects, writes, leaves */

    ngx_log_t                log;       /* the connection's */
    u_char                   buffer[NGX_REDIS_BUFFER_SIZE];
};


struct ngx_redis_channel_s {
    ngx_redis_t             *redis;
    ngx_redis_node_t        *node;      /* its own */
    ngx_str_t                name;
    ngx_str_t                greeting;  /* the node's; holds the password */
    ngx_msec_t               connect_timeout;
    ngx_msec_t               refused;   /* not to be tried before */
    ngx_redis_message_pt     handler;
    void                    *data;      /* the handler's */
    unsigned                 listening:1;
    unsigned                 pinged:1;  /* nothing has come since */
};


struct ngx_redis_command_s {
    ngx_queue_t              queue;     /* in the node's sent or waiting */
    ngx_redis_node_t        *node;

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t                ident;

    ngx_event_t              deadline;
    ngx_redis_handler_pt     handler;   /* NULL: abandoned, the reply is to be
                                           dropped */
    void                    *data;      /* the handler's */
    ngx_msec_t               connect_timeout;
    ngx_msec_t               timeout;

    ngx_redis_script_t      *script;
    ngx_uint_t               argc;
    const char             **argv;      /* the caller's bytes: not to be read
                                           once abandoned */
    size_t                  *argvlen;
    u_char                   nkeys[NGX_INT_T_LEN];

    ngx_buf_t                buf;       /* in RESP, hiredis' memory */
    ngx_chain_t              link;
    unsigned                 eval:1;    /* the source is being sent */
    unsigned                 written:1; /* in part at least, to this
                                           connection or an earlier one */
};


/* face */

/* hands "reply" to the command's handler, unless abandoned, and frees the
   command */
void ngx_redis_complete(ngx_redis_command_t *cmd, const redisReply *reply);


/* node */

ngx_redis_node_t *ngx_redis_node_create(ngx_redis_t *redis);
void ngx_redis_node_destroy(ngx_redis_node_t *node);

/* connects or writes as the state asks, later in this event loop's turn */
void ngx_redis_node_wake(ngx_redis_node_t *node);

/* after each change of node->live */
void ngx_redis_node_live(ngx_redis_node_t *node);

void ngx_redis_node_connected(ngx_redis_node_t *node);
void ngx_redis_node_greeted(ngx_redis_node_t *node);

/* the connection goes, and with it the replies; commands wait again */
void ngx_redis_node_close(ngx_redis_node_t *node);

/* as above, after a failure that has been logged */
void ngx_redis_node_failed(ngx_redis_node_t *node);


/* connection */

void ngx_redis_read_handler(ngx_event_t *rev);
void ngx_redis_write_handler(ngx_event_t *wev);
void ngx_redis_send(ngx_redis_node_t *node);


/* channel: what its node does */

/* whether the node is to be connected */
ngx_uint_t ngx_redis_channel_wanted(ngx_redis_channel_t *channel);

void ngx_redis_channel_refused(ngx_redis_channel_t *channel);
void ngx_redis_channel_subscribed(ngx_redis_channel_t *channel);
void ngx_redis_channel_lost(ngx_redis_channel_t *channel);
void ngx_redis_channel_reply(ngx_redis_channel_t *channel,
    const redisReply *reply);

/* the read timer: NGX_ERROR when the connection is to be given up */
ngx_int_t ngx_redis_channel_silent(ngx_redis_channel_t *channel);
void ngx_redis_channel_await(ngx_redis_channel_t *channel);


/* greeting */

ngx_int_t ngx_redis_greeting_init(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *password);
ngx_int_t ngx_redis_greeting_reply(ngx_redis_node_t *node,
    const redisReply *reply);


/* script */

ngx_redis_command_t *ngx_redis_command_create(ngx_redis_node_t *node,
    ngx_redis_script_t *script, ngx_uint_t nkeys, ngx_str_t *argv,
    ngx_uint_t argc);
void ngx_redis_command_free(ngx_redis_command_t *cmd);

/* from EVALSHA to EVAL; NGX_ERROR leaves it as it was */
ngx_int_t ngx_redis_command_eval(ngx_redis_command_t *cmd);

/* whether "reply" says that EVALSHA found no script */
ngx_uint_t ngx_redis_script_missing(ngx_redis_command_t *cmd,
    const redisReply *reply);


#endif /* _NGX_REDIS_INTERNAL_H_INCLUDED_ */
