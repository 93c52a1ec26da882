
/*
 * Whether a worker can use a Redis just now, node by node.
 */

#ifndef _NGX_REDIS_CHECKUP_H_INCLUDED_
#define _NGX_REDIS_CHECKUP_H_INCLUDED_


#include "redis/conf/ngx_redis_types.h"


/* of one node; the memory is the checkup's */
typedef struct ngx_redis_finding_s  ngx_redis_finding_t;


struct ngx_redis_finding_s {
    ngx_redis_finding_t     *next;      /* or NULL */
    ngx_str_t                node;      /* where it is, without user and
                                           password; empty: nobody knows */
    unsigned                 usable:1;
};


/* who waits for a checkup; the memory is the caller's, and in no queue while it
   does not */
typedef struct {
    ngx_queue_t              queue;
    void                   (*handler)(void *data);
    void                    *data;
} ngx_redis_visitor_t;


/*
 * Of a Redis that has a map.  NGX_OK: all is known, by replies of the last
 * second.  NGX_AGAIN: the visitor's handler will be called once, within the
 * options' two time-outs and never within this call, unless the visitor leaves
 * before.  NGX_ERROR: memory failed.
 */
ngx_int_t ngx_redis_checkup_visit(ngx_redis_t *redis,
    const ngx_redis_options_t *options, ngx_redis_visitor_t *visitor);

/* legal at any time after a visit, or with a queue that was initialized; what
   the visitor has waited for goes on */
void ngx_redis_checkup_leave(ngx_redis_visitor_t *visitor);

/* of each node that commands go to, NULL where memory failed; valid at once
   after NGX_OK, and until the handler returns */
const ngx_redis_finding_t *ngx_redis_checkup_findings(ngx_redis_t *redis);

/* forgets visitors, whose handlers are not called, and all else */
void ngx_redis_checkup_end(ngx_redis_t *redis);


#endif /* _NGX_REDIS_CHECKUP_H_INCLUDED_ */
