
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


/* in r->pool */
typedef struct {
    ngx_queue_t                   queue;        /* of its key's waiters */
    ngx_http_request_t           *request;
    ngx_http_segments_room_t     *room;
    ngx_http_segments_awaited_t  *key;          /* NULL: waits no more */
    ngx_event_t                   event;        /* to ask again: a timer, or
                                                   posted by what was heard */
    ngx_msec_t                    deadline;
    ngx_msec_t                    poll;         /* until the next ask */
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

/* closes what this worker listens on, if it does; for exit_process */
void ngx_http_segments_wait_exit(ngx_http_segments_room_t **room);


#endif /* _NGX_HTTP_SEGMENTS_ROOM_H_INCLUDED_ */
