
/*
 * What Redis says of the limits of a trip.
 */


#include "limit/ngx_http_segments_limit_told.h"
#include "limit/ngx_http_segments_limit_names.h"


static ngx_uint_t ngx_http_segments_limits_apart(
    ngx_http_segments_limits_t *limits, ngx_redis_record_verdict_e verdict,
    const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_limits_differ(ngx_http_request_t *r,
    ngx_uint_t told, ngx_uint_t asked);
static void ngx_http_segments_limits_take(ngx_http_segments_limits_t *limits,
    const ngx_redis_limits_reply_t *reply);
static void ngx_http_segments_limits_log(ngx_http_segments_limits_t *limits);


ngx_int_t
ngx_http_segments_limits_told(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits, ngx_redis_record_verdict_e verdict,
    const ngx_redis_record_reply_t *reply)
{
    if (limits == NULL || limits->paid) {

        /* a refusal by a limit that was not asked */

        if (reply->verdict != ngx_redis_record_limited) {
            return NGX_OK;
        }

        return ngx_http_segments_limits_differ(r, reply->limits.n, 0);
    }

    if (ngx_http_segments_limits_apart(limits, verdict, reply)) {
        return NGX_OK;
    }

    switch (reply->verdict) {

    case ngx_redis_record_failed:
    case ngx_redis_record_lost:
    case ngx_redis_record_unreadable:
        limits->verdict = reply->verdict;
        limits->status = NULL;
        limits->refused = 0;
        return NGX_OK;

    case ngx_redis_record_limited:
        limits->verdict = reply->verdict;
        break;

    default:
        break;
    }

    if (reply->limits.n != limits->ntrip) {
        limits->verdict = ngx_redis_record_unreadable;
        return ngx_http_segments_limits_differ(r, reply->limits.n,
                                               limits->ntrip);
    }

    if (limits->ntrip) {
        ngx_http_segments_limits_take(limits, &reply->limits);
    }

    return NGX_OK;
}


/*
 * A slot moves, and has keys here and there: nothing was spent, and the limits
 * of this trip are asked about one by one.  A receipt would be a second key:
 * without one, a create whose reply is lost just then pays twice, which is
 * safer than not to pay, or not to pass.
 */

static ngx_uint_t
ngx_http_segments_limits_apart(ngx_http_segments_limits_t *limits,
    ngx_redis_record_verdict_e verdict, const ngx_redis_record_reply_t *reply)
{
    ngx_uint_t  i;

    if (!reply->apart
        || limits->alone
        || verdict == ngx_redis_record_failed)     /* of a claim */
    {
        return 0;
    }

    limits->alone = 1;

    for (i = 0; i < limits->ntrip; i++) {
        limits->bucket[limits->trip[i]].asked = 0;
    }

    return 1;
}


static ngx_int_t
ngx_http_segments_limits_differ(ngx_http_request_t *r, ngx_uint_t told,
    ngx_uint_t asked)
{
    ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                  "redis sent the state of %ui limits instead of %ui",
                  told, asked);

    return NGX_DECLINED;
}


static void
ngx_http_segments_limits_take(ngx_http_segments_limits_t *limits,
    const ngx_redis_limits_reply_t *reply)
{
    ngx_uint_t                   i;
    ngx_http_segments_bucket_t  *bucket;

    for (i = 0; i < limits->ntrip; i++) {
        bucket = &limits->bucket[limits->trip[i]];

        bucket->state = reply->state[i];
        bucket->known = 1;
        bucket->violated = (reply->verdict == ngx_redis_limits_refused
                            && bucket->state.left == 0);
    }

    switch (reply->verdict) {

    case ngx_redis_limits_refused:
        limits->status = limits->conf->dry_run ? "REJECTED_DRY_RUN"
                                                  : "REJECTED";
        limits->refused = 1;
        ngx_http_segments_limits_log(limits);
        break;

    case ngx_redis_limits_spent:

        if (limits->status == NULL) {
            limits->status = "PASSED";
        }

        break;

    case ngx_redis_limits_read:
        break;
    }
}


static void
ngx_http_segments_limits_log(ngx_http_segments_limits_t *limits)
{
    sg_buf_t   names;
    ngx_str_t  text;

    sg_buf_init(&names);
    ngx_http_segments_limits_violated(limits, &names);

    text.data = names.data;
    text.len = names.len;

    ngx_log_error(limits->conf->log_level,
                  limits->request->connection->log, 0,
                  "limiting creates by %V%s", &text,
                  limits->conf->dry_run ? ", dry run" : "");

    sg_buf_free(&names);
}
