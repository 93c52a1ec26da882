
/*
 * The limits of a create, from the configuration to the header fields.
 *
 * They are asked about in trips to Redis: on one server with the claim, in the
 * same trip; on a cluster behind it, as the slot of one key may move without
 * the other, each group of one slot by itself, and limit by limit while that
 * slot moves.  A create without a claim begins with the second kind.  A trip
 * spends all its limits or none; what one has spent stays spent when a later
 * one refuses, and the claim is given back.
 */

#ifndef _NGX_HTTP_SEGMENTS_LIMIT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LIMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "limit/ngx_http_segments_limit_conf.h"
#include "record/ngx_redis_record.h"
#include "record/ngx_http_segments_token.h"


/* one limit of one create */
typedef struct {
    ngx_http_segments_limit_t      *limit;
    ngx_str_t                       key;        /* in Redis */
    ngx_redis_limit_state_t         state;      /* valid once "known" */

    unsigned                        asked:1;
    unsigned                        known:1;    /* Redis has answered */
    unsigned                        violated:1;
} ngx_http_segments_bucket_t;


typedef struct {
    ngx_http_request_t             *request;
    ngx_http_segments_limit_conf_t *conf;       /* of its location */
    ngx_http_segments_store_t      *store;

    ngx_uint_t                      n;
    ngx_http_segments_bucket_t      bucket[NGX_REDIS_LIMITS_MAX];

    ngx_uint_t                      trip[NGX_REDIS_LIMITS_MAX];
    ngx_uint_t                      ntrip;      /* buckets of the last trip, by
                                                   number */

    ngx_redis_limits_t              asked;      /* of the last trip */

    ngx_redis_record_t              receipt;    /* of a trip without a claim */
    ngx_redis_command_t            *cmd;        /* that trip, or NULL */
    ngx_uint_t                      alone;      /* unsigned  alone:1;  a limit
                                                   each, without a receipt */
    ngx_redis_record_verdict_e      verdict;    /* of all trips so far: ok,
                                                   limited, or a failure */

    ngx_uint_t                      paid;       /* unsigned  paid:1;  all of
                                                   them, and not again: only the
                                                   claim is asked for */

    const char                     *status;     /* the variable's, or NULL */
    ngx_uint_t                      refused;    /* unsigned  refused:1;  one of
                                                   them has, or would have but
                                                   for the dry run */
} ngx_http_segments_limits_t;


/*
 * Sets *found, in r->pool, or leaves NULL where none applies; NGX_ERROR when
 * memory failed, or a variable
 */
ngx_int_t ngx_http_segments_find_limits(ngx_http_request_t *r,
    ngx_http_segments_limit_conf_t *conf, ngx_http_segments_store_t *store,
    ngx_http_segments_limits_t **found);

/* those that go with the claim of the record "name", or NULL; in r->pool, as
   their strings are.  Here and below "limits" may be NULL */
const ngx_redis_limits_t *ngx_http_segments_limits_of_claim(
    ngx_http_segments_limits_t *limits, ngx_str_t *name);

/*
 * Asks about limits that were not asked about yet, as many as one command can
 * reach: spends from them where the claim's verdict is ok, looks at them where
 * an answer is replayed.  NGX_OK: the handler will be called once, unless
 * cancelled; NGX_DECLINED: there is nothing to ask; or NGX_ERROR.
 */
ngx_int_t ngx_http_segments_limits_ask(ngx_http_segments_limits_t *limits,
    ngx_redis_record_verdict_e verdict, ngx_redis_record_handler_pt handler,
    void *data);
void ngx_http_segments_limits_cancel(ngx_http_segments_limits_t *limits);


#endif /* _NGX_HTTP_SEGMENTS_LIMIT_H_INCLUDED_ */
