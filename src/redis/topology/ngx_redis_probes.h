
/*
 * Questions to the nodes that commands go to.
 */

#ifndef _NGX_REDIS_PROBES_H_INCLUDED_
#define _NGX_REDIS_PROBES_H_INCLUDED_


#include "redis/topology/ngx_redis_checkup.h"
#include "redis/topology/ngx_redis_map.h"


typedef struct ngx_redis_probe_s   ngx_redis_probe_t;
typedef struct ngx_redis_probes_s  ngx_redis_probes_t;


struct ngx_redis_probes_s {
    ngx_redis_map_t           *map;
    void                     (*done)(ngx_redis_probes_t *probes);   /* the last
                                           answer is here, or its time over */

    ngx_pool_t                *pool;    /* of what follows, or NULL */
    ngx_redis_probe_t         *first;   /* of all that were made */
    ngx_redis_finding_t       *findings;
    ngx_redis_finding_t      **last;    /* where the next one goes */
    ngx_uint_t                 pending; /* questions */
    ngx_msec_t                 due;     /* when the time is over */
    unsigned                   listed:1;    /* each node has its finding */
};


/*
 * Forgets the findings of before, and asks.  NGX_OK: all is known, "done" is
 * not called; NGX_AGAIN: it will be, once, never within this call; NGX_ERROR:
 * memory failed, and nothing was asked.
 */
ngx_int_t ngx_redis_probes_send(ngx_redis_probes_t *probes,
    const ngx_redis_options_t *options);

/* legal at any time: "done" will not be called, and the findings are gone */
void ngx_redis_probes_stop(ngx_redis_probes_t *probes);


#endif /* _NGX_REDIS_PROBES_H_INCLUDED_ */
