
/*
 * A link: a place that one connects to.
 */

#ifndef _NGX_REDIS_LINK_H_INCLUDED_
#define _NGX_REDIS_LINK_H_INCLUDED_


#include "redis/transport/ngx_redis_backoff.h"
#include "redis/transport/ngx_redis_greeting.h"
#include "redis/transport/ngx_redis_resolve.h"
#include "redis/transport/ngx_redis_stream.h"


typedef struct ngx_redis_link_s  ngx_redis_link_t;


/*
 * down -> resolving -> connecting -> securing -> greeting -> ready, without
 * resolving and securing where there is nothing to resolve or no TLS, and from
 * each back to down; ngx_redis_connect.c moves it up, ngx_redis_link.c down
 */
typedef enum {
    ngx_redis_link_down = 0,
    ngx_redis_link_resolving,
    ngx_redis_link_connecting,
    ngx_redis_link_securing,            /* TLS handshake */
    ngx_redis_link_greeting,            /* the replies to it are awaited */
    ngx_redis_link_ready                /* its owner may write */
} ngx_redis_link_state_e;


/* what its owner does, NULL where it is said; only "work" may free the link */
typedef struct {
    ngx_uint_t             (*wanted)(ngx_redis_link_t *link);

    /* before all else in the work event: NGX_DONE when that is all (NULL) */
    ngx_int_t              (*work)(ngx_redis_link_t *link);
    void                   (*ready)(ngx_redis_link_t *link);
    void                   (*refused)(ngx_redis_link_t *link);  /* (NULL) */

    /* ready: before writing, what there is, and what was (NULL) */
    void                   (*prepare)(ngx_redis_link_t *link);
    ngx_chain_t           *(*unwritten)(ngx_redis_link_t *link);
    void                   (*written)(ngx_redis_link_t *link);

    void                   (*heard)(ngx_redis_link_t *link);    /* (NULL) */
    ngx_int_t              (*reply)(ngx_redis_link_t *link, redisReply *reply);
    ngx_uint_t             (*swift)(ngx_redis_link_t *link);    /* (NULL) */
    void                   (*nonsense)(ngx_redis_link_t *link); /* (NULL) */

    /* the read timer: to be set or not, and it has passed: NGX_ERROR when the
       connection is to go */
    void                   (*await)(ngx_redis_link_t *link);
    ngx_int_t              (*silent)(ngx_redis_link_t *link);

    ngx_uint_t             (*hung_up)(ngx_redis_link_t *link);  /* whether
                                           a reply was awaited (NULL) */

    /* the connection goes (NULL), and has gone, or was closed by nginx */
    void                   (*closing)(ngx_redis_link_t *link);
    void                   (*lost)(ngx_redis_link_t *link, ngx_uint_t ready);
    void                   (*closed)(ngx_redis_link_t *link);   /* (NULL) */

    /* NGX_DONE when it is not to be made again; no address is left (NULL) */
    ngx_int_t              (*failed)(ngx_redis_link_t *link);
    void                   (*not_reached)(ngx_redis_link_t *link);
} ngx_redis_link_hooks_t;


/* part of what connects, at its beginning */
struct ngx_redis_link_s {
    ngx_redis_t             *redis;
    ngx_queue_t              queue;     /* among those that follow the master,
                                           if any */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t                ident;

    const ngx_redis_link_hooks_t  *hooks;
    ngx_redis_link_state_e   state;
    ngx_redis_site_t         site;
    ngx_redis_resolve_t      resolve;
    ngx_redis_greeter_t      greeter;
    ngx_redis_backoff_t      backoff;
    ngx_redis_backoff_t     *tries;     /* where they count: its own, or that of
                                           the link which it is spare to */
    ngx_uint_t               live;      /* handlers that are still to be
                                           called */
    ngx_msec_t               connect_timeout;
    ngx_msec_t               step;      /* of connecting: when the last one was
                                           done */
    unsigned                 leaving:1; /* its connection is to go */
    unsigned                 vain:1;    /* they greeted, no more */
    ngx_event_t              work;      /* posted: connects, writes, leaves */
    ngx_log_t                log;       /* the connection's */
    ngx_redis_stream_t       stream;
};


/* connects or writes as the state asks, later in this event loop's turn */
void ngx_redis_link_wake(ngx_redis_link_t *link);

/* after each change of link->live */
void ngx_redis_link_live(ngx_redis_link_t *link);

/* whether it is to be connected to, and may be */
ngx_uint_t ngx_redis_link_wanted(ngx_redis_link_t *link);

/* where to connect to from now on; the connection goes, later */
ngx_int_t ngx_redis_link_relocate(ngx_redis_link_t *link,
    const ngx_redis_place_t *place);

/* the connection goes, later, and the next one is to the next address */
void ngx_redis_link_leave(ngx_redis_link_t *link);

/* the connection goes, and with it the replies */
void ngx_redis_link_close(ngx_redis_link_t *link);

/* as above, after a failure that has been logged */
void ngx_redis_link_failed(ngx_redis_link_t *link);

/* the next address; a pause after the last of them */
void ngx_redis_link_next(ngx_redis_link_t *link);

/* writes what there is to be written */
void ngx_redis_link_send(ngx_redis_link_t *link);

/* its log names the place */
void ngx_redis_link_log_init(ngx_redis_link_t *link);

/* whose stream it is */
#define ngx_redis_link_of(s)  ngx_queue_data(s, ngx_redis_link_t, stream)

/* one connection may be closed while it is idle, and be made again at once */
#define ngx_redis_link_fails(link)  ((link)->backoff.failures > 1)

/* a command was: connections are good for something */
#define ngx_redis_link_answered(link)                                         \
    (link)->backoff.failures = 0;                                             \
    (link)->backoff.ntries = ngx_min((link)->backoff.ntries, 1);              \
    (link)->vain = 0

/* for lines that may come with each command */
#define ngx_redis_link_tally(link)                                            \
    ngx_redis_tally_to(&(link)->log, ngx_cycle->log)


#endif /* _NGX_REDIS_LINK_H_INCLUDED_ */
