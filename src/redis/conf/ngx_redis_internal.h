
/*
 * The client's inside: what a directive says (ngx_redis_t), what a worker
 * keeps of it (ngx_redis_node_t), and a command.
 *
 *     face         ngx_redis.c             submit, cancel, deadlines
 *     map          ngx_redis_map.c         which node a command goes to
 *     question     ngx_redis_question.c    who is asked for that, and when
 *     sentinel     ngx_redis_sentinel.c    by asking sentinels
 *     cluster      ngx_redis_cluster.c     by asking the cluster's nodes
 *     node         ngx_redis_node.c        connect, close
 *     backoff      ngx_redis_backoff.c     when to connect again
 *     resolve      ngx_redis_resolve.c     names, while nginx runs
 *     tls          ngx_redis_tls.c         the handshake, and whom to trust
 *     connection   ngx_redis_connection.c  read and write
 *     greeting     ngx_redis_greeting.c    AUTH, SELECT, PING, ROLE
 *     password     ngx_redis_password.c    its file, read again
 *     info         ngx_redis_info.c        INFO, when there is time
 *     breaker      ngx_redis_breaker.c     fails at once while nothing works
 *     channel      ngx_redis_channel.c     SUBSCRIBE and messages
 *     spare        ngx_redis_spare.c       another one for a silent one
 *     ack          ngx_redis_ack.c         WAIT
 *     script       ngx_redis_script.c      EVALSHA and EVAL
 *     parse        ngx_redis_parse.c       other replies, in plain C
 *     host         ngx_redis_host.c        a place named by other nodes
 *     tally        ngx_redis_tally.c       lines that come again and again
 *     url          ngx_redis_url.c         the directive's words
 *     parameters   ngx_redis_parameters.c  and what follows the URL
 */

#ifndef _NGX_REDIS_INTERNAL_H_INCLUDED_
#define _NGX_REDIS_INTERNAL_H_INCLUDED_


#include "redis/ngx_redis.h"
#include "redis/conf/ngx_redis_conf.h"
#include "redis/conf/ngx_redis_parameters.h"
#include "redis/conf/ngx_redis_url.h"
#include "redis/reply/ngx_redis_expect.h"
#include "redis/reply/ngx_redis_facts.h"
#include "redis/reply/ngx_redis_parse.h"
#include "redis/reply/ngx_redis_reader.h"
#include "redis/reply/ngx_redis_sieve.h"
#include "redis/reply/ngx_redis_slot.h"
#include <ngx_event_connect.h>


#define NGX_REDIS_BUFFER_SIZE     16384
#define NGX_REDIS_VALUE_MARGIN    (1024 * 1024)     /* bytes of a reply's value,
                                                       beyond what is stored */
#define NGX_REDIS_PROOF           32    /* bytes of a reply's proof, at most */
#define NGX_REDIS_PROOF_TOKEN     8     /* so many of them are the token's */
#define NGX_REDIS_TRIES           5     /* of connecting, in a second */


typedef struct ngx_redis_map_s   ngx_redis_map_t;
typedef struct ngx_redis_node_s  ngx_redis_node_t;


/*
 * down -> resolving -> connecting -> securing -> greeting -> ready, without
 * resolving and securing where there is nothing to resolve or no TLS, and from
 * each back to down; only ngx_redis_node.c moves it
 */
typedef enum {
    ngx_redis_node_down = 0,
    ngx_redis_node_resolving,
    ngx_redis_node_connecting,
    ngx_redis_node_securing,            /* TLS handshake */
    ngx_redis_node_greeting,            /* the replies to it are awaited */
    ngx_redis_node_ready                /* commands may be written */
} ngx_redis_node_state_e;


/* closed -> open -> closed; only ngx_redis_breaker.c moves it */
typedef struct {
    ngx_uint_t               failed;    /* in a row */
    ngx_msec_t               moment;    /* of the last of them */
    ngx_uint_t               failures;  /* so many open it, 0: none do */
    ngx_msec_t               retry;
    ngx_msec_t               timeout;   /* of a probe */
    ngx_event_t              timer;     /* open: the next probe */
    ngx_redis_command_t     *probe;     /* pending, or NULL */
    unsigned                 open:1;
} ngx_redis_breaker_t;


/* what the map asks a node */
typedef struct {
    ngx_redis_command_t     *command;   /* pending, or NULL */
    ngx_redis_command_t     *health_command;    /* before it, or NULL */
    ngx_redis_health_t       health;    /* as the node has said */
    ngx_uint_t               turn;      /* the map's at that time */
    unsigned                 complained:1;  /* in the log, of what it says */
} ngx_redis_question_t;


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

    ngx_redis_node_t       **slots;     /* a cluster's; NULL: not known */
    ngx_queue_t              nodes;     /* all but the home and the guides */
    ngx_queue_t              channels;  /* of which the nodes follow */
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
    ngx_msec_t               connect_timeout;   /* the newest command's */
    ngx_msec_t               timeout;
    unsigned                 doubted:1; /* since the last question */
    unsigned                 sure:1;    /* the cluster does not fail */
    unsigned                 closing:1; /* the worker ends */
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
    ngx_queue_t              held;      /* commands that were replied to and
                                           need acknowledgements */
    ngx_redis_command_t     *wait;      /* the WAIT that is pending, or NULL */
    ngx_uint_t               unacked;   /* commands that need one */
    ngx_uint_t               replicas;  /* as the newest of them says */
    ngx_msec_t               wait_timeout;
    ngx_msec_t               timeout;
    ngx_uint_t               live;      /* commands in these queues whose
                                           handler is still to be called */
    ngx_queue_t              siblings;  /* in the map's nodes, if any */
    ngx_redis_question_t     question;
    ngx_msec_t               connect_timeout;   /* the newest command's */
    ngx_redis_breaker_t      breaker;
    ngx_redis_node_state_e   state;
    ngx_peer_connection_t    peer;      /* .connection is NULL when down */
    redisReader             *reader;    /* greeting, ready */
    ngx_redis_sieve_t        sieve;     /* before it */
    ngx_redis_greeting_t    *greeter;
    ngx_uint_t               greeted;   /* greeting: replies that came */
    ngx_buf_t                greeting;  /* what is left to be written of it;
                                           a channel's: and of its PING; with a
                                           start it is ours */
    ngx_chain_t              greeting_link;
    ngx_redis_channel_t     *channel;   /* for which the node listens; NULL: it
                                           takes commands */

    ngx_redis_node_t        *spare;     /* beside a silent connection: another
                                           one in the making, or NULL */
    ngx_redis_node_t        *late;      /* the one that was silent, or NULL */
    ngx_redis_node_t        *principal; /* of a spare or late one; else NULL */
    ngx_msec_t               started;   /* when connecting began */
    ngx_msec_t               heard;     /* when something was read last */
    ngx_msec_t               spared;    /* when a spare one was last made */
    ngx_event_t              doubt;     /* a timer: is it silent? */
    ngx_msec_t               doubted;   /* when that is due */

    ngx_redis_host_t        *hosts;     /* where it may be */
    ngx_uint_t               nhosts;    /* 0: that is not known yet */
    ngx_redis_host_t         own;       /* the one that a map has named */
    ngx_uint_t               host;      /* the one in use or to be tried */
    ngx_uint_t               unlucky;   /* hosts that failed in a row */
    ngx_addr_t              *addrs;     /* of that host */
    ngx_uint_t               naddrs;
    ngx_uint_t               addr;      /* the one in use or to be tried */
    ngx_uint_t               tried;     /* addresses that failed in a row */
    ngx_resolver_ctx_t      *resolving; /* resolving */
    ngx_addr_t              *resolved;  /* by the resolver, of that host */
    ngx_uint_t               nresolved;
#if (NGX_SSL)
    ngx_ssl_session_t       *session;   /* of the last connection, or NULL */
    ngx_event_handler_pt     handshake; /* nginx' own, until the first byte */
#endif
    ngx_msec_t               began;     /* connecting */
    ngx_msec_t               step;      /* of connecting: when the last one was
                                           done */
    ngx_uint_t               failures;  /* connections in a row on which no
                                           command was answered */
    ngx_uint_t               password;  /* changes of it, as used last */
    ngx_redis_command_t     *info;      /* INFO is pending, or NULL */
    unsigned                 spoke:1;   /* something was read, of TLS or of
                                           what it holds */
    unsigned                 former:1;  /* the password before is used */
    unsigned                 other:1;   /* the other one was refused */
    unsigned                 again:1;   /* to be connected to at once */
    unsigned                 curious:1; /* INFO is to be asked */
    unsigned                 discreet:1;    /* and is not to be asked any more */
    unsigned                 clustered:1;   /* as it was told */
    unsigned                 evicts:1;  /* as it was warned about */
    unsigned                 leaving:1; /* its connection is to go */
    unsigned                 retired:1; /* and itself, too */
    unsigned                 mentioned:1;   /* in the answer being read */
    unsigned                 overdue:1; /* a timer of its connection has passed
                                           once */
    unsigned                 guide:1;   /* takes questions, or tells */
    unsigned                 vain:1;    /* they greeted, no more */
    ngx_msec_t               tries[NGX_REDIS_TRIES];    /* points in time, the
                                           last one first */
    ngx_uint_t               ntries;    /* of which these are known; of those
                                           before a command was answered, the
                                           last one */
    ngx_event_t              backoff;   /* a timer: no connecting before */
    ngx_event_t              work;      /* posted: connects, writes, leaves */

    ngx_log_t                log;       /* the connection's */
    u_char                   buffer[NGX_REDIS_BUFFER_SIZE];
};


struct ngx_redis_channel_s {
    ngx_redis_t             *redis;
    ngx_redis_node_t        *node;      /* its own */
    ngx_queue_t              queue;     /* in the map's channels */
    ngx_str_t                name;
    ngx_redis_greeting_t     greeting;  /* the node's */
    ngx_msec_t               refused;   /* not to be tried before */
    ngx_msec_t               patience;  /* after a refusal */
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
    ngx_msec_t               due;       /* the deadline's time */
    ngx_redis_handler_pt     handler;   /* NULL: abandoned, the reply is to be
                                           dropped */
    void                    *data;      /* the handler's */
    ngx_msec_t               timeout;

    ngx_redis_script_t      *script;    /* NULL: plain words */
    ngx_uint_t               argc;
    const char             **argv;      /* the caller's bytes: not to be read
                                           once abandoned */
    size_t                  *argvlen;
    u_char                   nkeys[NGX_INT_T_LEN];
    ngx_uint_t               slot;      /* of the first key */
    ngx_uint_t               several;   /* unsigned  several:1;  keys, not one
                                           and the same */
    ngx_uint_t               hops;      /* redirections */
    ngx_uint_t               replicas;  /* that have to acknowledge it */
    ngx_msec_t               wait_timeout;
    redisReply              *reply;     /* held, or NULL */
    ngx_redis_command_t     *twin;      /* of a command that was sent twice: its
                                           place on the late connection; of that
                                           place: the command; or NULL */

    ngx_redis_expect_e       expect;    /* what its reply may be */
    u_char                   proof[NGX_REDIS_PROOF];    /* of a script's */
    size_t                   proof_len;

    ngx_buf_t                buf;       /* in RESP, hiredis' memory, or with
                                           ASKING our own */
    ngx_chain_t              link;
    unsigned                 refused:1; /* by the breaker: in no queue */
    unsigned                 eval:1;    /* the source is being sent */
    unsigned                 asking:1;  /* ASKING goes before it */
    unsigned                 asked:1;   /* and was replied to */
    unsigned                 again:1;   /* its connection was out of step */
    unsigned                 lost:1;    /* and the next one, too: in no queue */
    unsigned                 own:1;     /* the buffer is ours */
    unsigned                 place:1;   /* nothing but a reply's place */
    unsigned                 overdue:1; /* its deadline has passed once */
    unsigned                 unacked:1; /* counted as such by its node */
    unsigned                 written:1; /* in part at least, to this
                                           connection or an earlier one */
};


/* face */

/* hands "rc" and "reply" to the command's handler, unless abandoned, and frees
   the command */
void ngx_redis_complete(ngx_redis_command_t *cmd, ngx_int_t rc,
    const redisReply *reply);

/* hands "reply" to a live command that is still to be answered elsewhere */
void ngx_redis_answer(ngx_redis_command_t *cmd, const redisReply *reply);

/* a command of constant, terminated words, past the breaker */
ngx_redis_command_t *ngx_redis_send_words(ngx_redis_node_t *node,
    const char **words, ngx_uint_t n, ngx_msec_t timeout,
    ngx_redis_handler_pt handler, void *data);


/* takes a live command, in no queue, from its node to this one */
void ngx_redis_move(ngx_redis_command_t *cmd, ngx_redis_node_t *node);


/* map */

/* this worker's, made when it is first needed; NULL when memory failed */
ngx_redis_map_t *ngx_redis_map_get(ngx_redis_t *redis);
void ngx_redis_map_destroy(ngx_redis_map_t *map);

/* whether the master, any of a cluster's nodes or, where none is known, all
   that might tell are out of order */
ngx_uint_t ngx_redis_map_unusable(ngx_redis_map_t *map);

/* where commands of this slot go; NULL: not known */
ngx_redis_node_t *ngx_redis_map_find(ngx_redis_map_t *map, ngx_uint_t slot);

/* hands a live command, in no queue, to its node, or keeps it until that is
   known */
void ngx_redis_map_route(ngx_redis_map_t *map, ngx_redis_command_t *cmd);

/* commands for which no node was known go to where it is known now */
void ngx_redis_map_send_home(ngx_redis_map_t *map);

/*
 * NGX_OK: "reply" sends the command elsewhere or to a later time, and that has
 * been done; NGX_DECLINED: it is the caller's.
 */
ngx_int_t ngx_redis_map_redirect(ngx_redis_command_t *cmd,
    const redisReply *reply);

/* the node at this place, perhaps a new one; NULL when memory failed */
ngx_redis_node_t *ngx_redis_map_node(ngx_redis_map_t *map,
    ngx_redis_node_t *speaker, const ngx_redis_place_t *place);

/* the node goes, later; its commands find another way */
void ngx_redis_map_retire(ngx_redis_node_t *node);
void ngx_redis_map_evacuate(ngx_redis_node_t *node);

/* a channel's node follows the master */
void ngx_redis_map_follow(ngx_redis_map_t *map, ngx_redis_channel_t *channel);


/* question */

/* what is known may be wrong: asks, but not too often */
void ngx_redis_map_doubt(ngx_redis_map_t *map);

/* as above, for a command or a connection failed: goes on asking while what is
   known fails */
void ngx_redis_map_trouble(ngx_redis_map_t *map);

/* as above, and that guide is to be asked */
void ngx_redis_map_hint(ngx_redis_map_t *map, ngx_redis_node_t *guide);

/* the node is the last to be asked next */
void ngx_redis_map_spoke(ngx_redis_map_t *map, ngx_redis_node_t *node);

/* the map's timer */
void ngx_redis_map_handler(ngx_event_t *ev);

/* the connection is lost */
void ngx_redis_question_lost(ngx_redis_node_t *node);

/* the node goes */
void ngx_redis_question_cancel(ngx_redis_node_t *node);

/* the words of the question, and what is made of a node's answer: NGX_DECLINED
   when it is of no use */

ngx_uint_t ngx_redis_sentinel_question(ngx_redis_map_t *map,
    const char **words);
ngx_int_t ngx_redis_sentinel_answer(ngx_redis_map_t *map,
    ngx_redis_node_t *guide, const redisReply *reply);
ngx_uint_t ngx_redis_cluster_question(const char **words);
ngx_int_t ngx_redis_cluster_answer(ngx_redis_map_t *map,
    ngx_redis_node_t *node, const redisReply *reply);

/* before the question: how the cluster is, as the node sees it */
void ngx_redis_cluster_ask_health(ngx_redis_node_t *node, ngx_msec_t timeout);

/* subscribes where that is still to be done */
void ngx_redis_sentinel_watch(ngx_redis_map_t *map);


/* node */

/* "hosts" and "greeting" are the caller's and stay */
ngx_redis_node_t *ngx_redis_node_create(ngx_redis_t *redis,
    ngx_redis_host_t *hosts, ngx_uint_t nhosts,
    ngx_redis_greeting_t *greeting);
void ngx_redis_node_destroy(ngx_redis_node_t *node);

/* where to connect to from now on; the connection goes, later */
ngx_int_t ngx_redis_node_relocate(ngx_redis_node_t *node,
    const ngx_redis_place_t *place);

/* to where "other" has been relocated */
ngx_int_t ngx_redis_node_follow(ngx_redis_node_t *node,
    ngx_redis_node_t *other);

/* whether another connection may lead elsewhere */
ngx_uint_t ngx_redis_node_may_move(ngx_redis_node_t *node);

/* the connection goes, later, and the next one is to the next address */
void ngx_redis_node_leave(ngx_redis_node_t *node);

/* connects or writes as the state asks, later in this event loop's turn */
void ngx_redis_node_wake(ngx_redis_node_t *node);

/* after each change of node->live */
void ngx_redis_node_live(ngx_redis_node_t *node);

/* begins to connect */
void ngx_redis_node_find(ngx_redis_node_t *node);

/* what was written waits again, but for what nobody waits for */
void ngx_redis_node_rewind(ngx_redis_node_t *node);

void ngx_redis_node_resolved(ngx_redis_node_t *node);
void ngx_redis_node_connected(ngx_redis_node_t *node);
void ngx_redis_node_secured(ngx_redis_node_t *node);
void ngx_redis_node_greeted(ngx_redis_node_t *node);

/* the timer of connecting */
void ngx_redis_node_timed_out(ngx_redis_node_t *node);

/* one connection may be closed while it is idle, and be made again at once */
#define ngx_redis_node_unusable(node)                                         \
    ((node)->failures > 1 || (node)->breaker.open)

/* a command was: connections are good for something */
#define ngx_redis_node_answered(node)                                         \
    (node)->failures = 0;                                                     \
    (node)->ntries = ngx_min((node)->ntries, 1);                              \
    (node)->vain = 0

/* the connection goes, and with it the replies; commands wait again */
void ngx_redis_node_close(ngx_redis_node_t *node);

/* as above, after a failure that has been logged */
void ngx_redis_node_failed(ngx_redis_node_t *node);


/* backoff */

/* a round of connecting begins; one of a spare connection is its node's */
void ngx_redis_backoff_try(ngx_redis_node_t *node);

/* the round's first connect() was called */
void ngx_redis_backoff_tried(ngx_redis_node_t *node);

/* sets the timer before which there is no other one */
void ngx_redis_backoff(ngx_redis_node_t *node);


/* resolve */

/* ends in ngx_redis_node_resolved(), perhaps within the call */
void ngx_redis_resolve(ngx_redis_node_t *node);
void ngx_redis_resolve_cancel(ngx_redis_node_t *node);
void ngx_redis_resolve_forget(ngx_redis_node_t *node);


/* tls */

/* NGX_AGAIN: ngx_redis_node_secured() or ngx_redis_node_failed() follows */
ngx_int_t ngx_redis_tls_start(ngx_redis_node_t *node);
void ngx_redis_tls_forget(ngx_redis_node_t *node);
void ngx_redis_tls_close(ngx_connection_t *c);

/* what was written in one piece with a password */
void ngx_redis_tls_overwrite(ngx_connection_t *c);


/* connection */

void ngx_redis_read_handler(ngx_event_t *rev);
void ngx_redis_write_handler(ngx_event_t *wev);
void ngx_redis_send(ngx_redis_node_t *node);

/* reads, later in this turn, what has arrived and was not reported yet */
void ngx_redis_catch_up(ngx_redis_node_t *node);

/* milliseconds that what was due at "due", after "timeout", gets once more: a
   turn of the event loop, and some where the worker itself is late */
ngx_msec_t ngx_redis_grace(ngx_msec_t due, ngx_msec_t timeout);

/* closing sends a reset: what has not left yet never will */
void ngx_redis_reset(ngx_connection_t *c);


/* spare */

void ngx_redis_spare_init(ngx_redis_node_t *node);

/* the connection goes, and what is beside it */
void ngx_redis_spare_close(ngx_redis_node_t *node);

/* something was read, or a connection was made */
void ngx_redis_spare_heard(ngx_redis_node_t *node);

/* something was written */
void ngx_redis_spare_watch(ngx_redis_node_t *node);

/* work of a spare or a late one */
void ngx_redis_spare_work(ngx_redis_node_t *spare);

/* a late reply to "place", which is in no queue and is freed */
void ngx_redis_spare_reply(ngx_redis_command_t *place,
    const redisReply *reply);

/* the command and its place on the late connection forget each other */
void ngx_redis_spare_part(ngx_redis_command_t *cmd);


/* tally */

/* the node's lines are counted, too, while one connection after the other
   fails */
void ngx_redis_tally_node(ngx_redis_node_t *node);

/* what was not written yet is; the worker ends */
void ngx_redis_tally_end(void);


/* breaker: a node's */

void ngx_redis_breaker_init(ngx_redis_node_t *node);
void ngx_redis_breaker_destroy(ngx_redis_node_t *node);

/* whether a command with these options is to fail at once */
ngx_uint_t ngx_redis_breaker_refuses(ngx_redis_node_t *node,
    const ngx_redis_options_t *options);

/* deadlines have passed, or no address could be connected to; one turn of the
   event loop counts once */
void ngx_redis_breaker_failed(ngx_redis_node_t *node);

/* a reply came in time, or a connection is ready */
void ngx_redis_breaker_answered(ngx_redis_node_t *node);


/* channel */

/* named by both texts; its node, without a host, greets with "greeting" */
ngx_redis_channel_t *ngx_redis_channel_open(ngx_redis_t *redis,
    ngx_redis_greeting_t *greeting, ngx_str_t *prefix, ngx_str_t *suffix,
    ngx_msec_t connect_timeout, ngx_redis_message_pt handler, void *data);

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


/* ack */

/* the command waits in its node, or will not any more */
void ngx_redis_ack_enter(ngx_redis_command_t *cmd);
void ngx_redis_ack_leave(ngx_redis_command_t *cmd);

/* puts a WAIT behind the waiting commands, if one is needed */
void ngx_redis_ack_queue(ngx_redis_node_t *node);

/* keeps the command and "reply" until replicas have acknowledged */
void ngx_redis_ack_hold(ngx_redis_command_t *cmd, redisReply *reply);

/* the connection is lost: before, and after what was sent waits again */
void ngx_redis_ack_cancel(ngx_redis_node_t *node);
void ngx_redis_ack_rewind(ngx_redis_node_t *node);


/* greeting */

/* with the password of this moment: what is to be written is in node->greeting
   until the end, which overwrites it */
ngx_int_t ngx_redis_greeting_start(ngx_redis_node_t *node);
void ngx_redis_greeting_end(ngx_redis_node_t *node);

/* the command that is waited for */
ngx_str_t *ngx_redis_greeting_step(ngx_redis_node_t *node);

ngx_int_t ngx_redis_greeting_reply(ngx_redis_node_t *node,
    const redisReply *reply);


/* info */

/* of a new connection; who is only asked the way holds no records */
#define ngx_redis_info_curious(node)                                         \
    ((node)->greeter == &(node)->redis->greeting                              \
     && (node)->principal == NULL                                             \
     && !(node)->discreet)

#define ngx_redis_info_wanted(node)                                           \
    ((node)->curious                                                          \
     && ngx_queue_empty(&(node)->sent)                                        \
     && ngx_queue_empty(&(node)->waiting)                                     \
     && ngx_queue_empty(&(node)->held))

/* asks, if nothing else is on the connection */
void ngx_redis_info_ask(ngx_redis_node_t *node);

/* a node of a cluster, as Redis says of itself: told once, where it is not one
   of many */
void ngx_redis_info_clustered(ngx_redis_node_t *node);

/* the other side did, or the connection is lost some other way */
void ngx_redis_info_hung_up(ngx_redis_node_t *node);
void ngx_redis_info_cancel(ngx_redis_node_t *node);


/* script */

ngx_redis_command_t *ngx_redis_command_create(ngx_redis_node_t *node,
    ngx_redis_script_t *script, ngx_uint_t nkeys, ngx_str_t *argv,
    ngx_uint_t argc);
ngx_redis_command_t *ngx_redis_command_words(ngx_redis_node_t *node,
    const char **words, ngx_uint_t n);
void ngx_redis_command_free(ngx_redis_command_t *cmd);

/* to be written from its beginning, to whatever connection, and to be replied
   to as if it had never been written */
void ngx_redis_command_rewind(ngx_redis_command_t *cmd);

/* what stands for a written command on "late": the place of its reply */
ngx_redis_command_t *ngx_redis_command_place(ngx_redis_node_t *late,
    ngx_redis_command_t *cmd);

/* from EVALSHA to EVAL; NGX_ERROR leaves it as it was */
ngx_int_t ngx_redis_command_eval(ngx_redis_command_t *cmd);

/* with ASKING before it, or without; NGX_ERROR leaves it as it was */
ngx_int_t ngx_redis_command_asking(ngx_redis_command_t *cmd, ngx_uint_t on);

/* whether "reply" can be the one that the command waits for: with ASKING that
   one's first */
ngx_uint_t ngx_redis_command_answered(ngx_redis_command_t *cmd,
    const redisReply *reply);

/* whether "reply" says that EVALSHA found no script */
ngx_uint_t ngx_redis_script_missing(ngx_redis_command_t *cmd,
    const redisReply *reply);


#endif /* _NGX_REDIS_INTERNAL_H_INCLUDED_ */
