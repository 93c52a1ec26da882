
/*
 * Where the duplicates of one tenant wait in a worker.
 */

#ifndef _NGX_HTTP_SEGMENTS_ROOM_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ROOM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "idempotency/ngx_http_segments_idempotency_conf.h"
#include "record/ngx_http_segments_store.h"
#include "record/ngx_redis_verdict.h"


/* a key that requests of this worker wait for; lives as long as they do */
typedef struct {
    ngx_str_node_t                sn;           /* the record's name */
    ngx_queue_t                   waiters;
    ngx_uint_t                    nwaiters;
} ngx_http_segments_awaited_t;


/* of one tenant in this worker; lives as long as the worker */
struct ngx_http_segments_room_s {
    ngx_redis_channel_t          *channel;
    ngx_rbtree_t                  keys;         /* ngx_http_segments_
                                                   awaited_t */
    ngx_rbtree_node_t             sentinel;
};


/* what one has heard of Redis, for all of its key */
typedef struct {
    ngx_uint_t                    refs;         /* waiters */
    ngx_redis_record_reply_t      reply;        /* its strings are behind it */
} ngx_http_segments_shared_t;


/* in r->pool */
typedef struct {
    ngx_queue_t                   queue;        /* of its key's waiters */
    ngx_http_request_t           *request;
    ngx_http_segments_room_t     *room;
    ngx_http_segments_awaited_t  *key;          /* NULL: waits no more */
    ngx_event_t                   event;        /* to ask again: a timer, or
                                                   posted by what was heard */
    u_char                        fingerprint[SG_VALUE_FINGERPRINT];
    ngx_msec_t                    deadline;
    ngx_msec_t                    poll;         /* until the next ask */
    ngx_http_segments_shared_t   *shared;       /* what another one has heard,
                                                   or NULL */
    unsigned                      shares:1;     /* it may be told so */
    unsigned                      leads:1;      /* asks for those behind it,
                                                   too */
    unsigned                      asking:1;     /* for the claim, once more */
    unsigned                      named:1;      /* a channel, when it asked */
    unsigned                      news:1;       /* heard while it was asking:
                                                   its verdict may be older */
} ngx_http_segments_waiter_t;


/* makes it where there is none; NULL when memory failed */
ngx_http_segments_room_t *ngx_http_segments_room(
    ngx_http_segments_room_t **roomp, ngx_http_segments_store_t *store);

/* a key that is waited for, of the record's name; NULL when memory failed */
ngx_http_segments_awaited_t *ngx_http_segments_awaited(
    ngx_http_segments_room_t *room, ngx_str_t *name);

/* the same, or NULL where nobody waits for it; so of no room */
ngx_http_segments_awaited_t *ngx_http_segments_find_awaited(
    ngx_http_segments_room_t *room, ngx_str_t *name);

/* the first waiter from "q" on is to ask for those behind it, too */
void ngx_http_segments_wait_lead(ngx_http_segments_awaited_t *key,
    ngx_queue_t *q);

/* closes what this worker listens on, if it does; for exit_process */
void ngx_http_segments_wait_exit(ngx_http_segments_room_t **room);


#endif /* _NGX_HTTP_SEGMENTS_ROOM_H_INCLUDED_ */
