
/*
 * What is configured of idempotency.
 */

#ifndef _NGX_HTTP_SEGMENTS_IDEMPOTENCY_CONF_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_IDEMPOTENCY_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "contract/sg_answer.h"
#include "record/ngx_redis_ttl.h"


/* the values of segments_idempotency */
#define NGX_HTTP_SEGMENTS_OFF             0
#define NGX_HTTP_SEGMENTS_ON              1
#define NGX_HTTP_SEGMENTS_REQUIRED        2

/* segments_idempotency_wait */
#define NGX_HTTP_SEGMENTS_WAITERS          1000
#define NGX_HTTP_SEGMENTS_WAITERS_PER_KEY  16

/* segments_idempotency_unknown */
#define NGX_HTTP_SEGMENTS_RETRY           0
#define NGX_HTTP_SEGMENTS_HOLD            1

/* segments_idempotency_upstream_key */
#define NGX_HTTP_SEGMENTS_KEY_DERIVED     0
#define NGX_HTTP_SEGMENTS_KEY_ORIGINAL    1
#define NGX_HTTP_SEGMENTS_KEY_OFF         2


typedef struct ngx_http_segments_room_s  ngx_http_segments_room_t;


typedef struct {
    ngx_uint_t                    mode;
    ngx_http_complex_value_t     *scope;
    ngx_msec_t                    ttl;
    ngx_redis_ttl_t               kept;         /* the ttl, for Redis */
    ngx_msec_t                    lease;
    ngx_msec_t                    wait;         /* 0: off */
    ngx_uint_t                    waiters;      /* of a worker, at most */
    ngx_uint_t                    waiters_per_key;
    ngx_uint_t                    unknown;
    sg_statuses_t                *statuses;     /* remembered */
    ngx_array_t                  *headers;      /* ngx_str_t, stored besides
                                                   the documented ones */
    size_t                        max_response; /* bytes of a stored body */
    ngx_uint_t                    upstream_key;
    ngx_http_segments_room_t    **room;         /* the tenant's; set where
                                                   enabled */
} ngx_http_segments_idempotency_conf_t;


#endif /* _NGX_HTTP_SEGMENTS_IDEMPOTENCY_CONF_H_INCLUDED_ */
