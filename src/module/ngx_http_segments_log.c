
/*
 * A request is counted when it is logged, which happens to each exactly once,
 * however it ends; by then the client has its answer, which is compared with
 * the documentation.
 */


#include "module/ngx_http_segments_log.h"
#include "drift/ngx_http_segments_drift.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"
#include "metrics/ngx_http_segments_refusals.h"
#include "module/ngx_http_segments_variables.h"


static void ngx_http_segments_count_refusals(ngx_http_segments_ctx_t *ctx);
static ngx_msec_t ngx_http_segments_redis_time(ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_upstream_time(ngx_http_request_t *r,
    ngx_msec_t *time);


ngx_int_t
ngx_http_segments_count(ngx_http_request_t *r)
{
    ngx_int_t                      outcome;
    ngx_msec_t                     time;
    ngx_uint_t                     class;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_meter_t     *meter;
    ngx_http_segments_counts_t    *counts;
    ngx_http_segments_loc_conf_t  *slcf;

    ctx = ngx_http_segments_get_ctx(r);
    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    meter = ctx ? ctx->meter : slcf->meter;

    if (meter == NULL) {
        return NGX_OK;
    }

    outcome = ngx_http_segments_outcome(r);

    if (outcome == NGX_DECLINED) {
        return NGX_OK;
    }

    counts = meter->counts;

    (void) ngx_atomic_fetch_add(&counts->outcomes[outcome], 1);

    if (ctx == NULL) {
        return NGX_OK;
    }

    if (ctx->redis_start) {
        ngx_http_segments_measure(counts, ngx_http_segments_redis_ms,
                                  ngx_http_segments_redis_time(ctx));
    }

    class = ctx->upstream_status / 100 - 2;

    if (class < NGX_HTTP_SEGMENTS_CLASSES) {
        (void) ngx_atomic_fetch_add(&counts->responses[class], 1);
    }

    if (ngx_http_segments_upstream_time(r, &time) == NGX_OK) {
        ngx_http_segments_measure(counts, ngx_http_segments_upstream_ms, time);
    }

    if (ctx->recorded && ctx->state != ngx_http_segments_settle) {
        ngx_http_segments_measure(counts, ngx_http_segments_record_bytes,
                                  ctx->recorded);
    }

    if (ctx->limits && ctx->limits->refused) {
        ngx_http_segments_count_refusals(ctx);
    }

    return NGX_OK;
}


static void
ngx_http_segments_count_refusals(ngx_http_segments_ctx_t *ctx)
{
    ngx_uint_t                   i;
    ngx_http_segments_limits_t  *limits;

    limits = ctx->limits;

    for (i = 0; i < limits->n; i++) {
        if (limits->bucket[i].violated) {
            ngx_http_segments_count_refusal(ctx->meter,
                                            &limits->bucket[i].limit->name,
                                            limits->conf->dry_run);
        }
    }
}


/* with the wait of which the client did not see the end */

static ngx_msec_t
ngx_http_segments_redis_time(ngx_http_segments_ctx_t *ctx)
{
    switch (ctx->state) {

    case ngx_http_segments_admit:
    case ngx_http_segments_spend:
    case ngx_http_segments_settle:
        return ctx->redis_time + (ngx_current_msec - ctx->redis_start);

    default:
        return ctx->redis_time;
    }
}


/* of all tries together; NGX_DECLINED where there was none */

static ngx_int_t
ngx_http_segments_upstream_time(ngx_http_request_t *r, ngx_msec_t *time)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    *time = 0;

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].peer && state[i].response_time != (ngx_msec_t) -1) {
            *time += state[i].response_time;
            rc = NGX_OK;
        }
    }

    return rc;
}


ngx_int_t
ngx_http_segments_compare_answer(ngx_http_request_t *r)
{
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx && ctx->sample) {
        ngx_http_segments_compare(ctx->sample, r->connection->log);
    }

    return NGX_OK;
}
