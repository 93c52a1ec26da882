
/*
 * The limits of a create: which there are, and what Redis says of them.
 */


#include "limit/ngx_http_segments_limit.h"


static ngx_int_t ngx_http_segments_limit_key(ngx_http_request_t *r,
    ngx_http_segments_limit_t *limit, ngx_str_t *value, ngx_str_t *key);
static void ngx_http_segments_limits_trip(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *with, ngx_redis_limits_t *limits);
static ngx_str_t *ngx_http_segments_limits_next(ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_limits_receipt(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits, ngx_str_t *key);
static ngx_uint_t ngx_http_segments_limits_apart(ngx_http_segments_ctx_t *ctx,
    const ngx_redis_record_reply_t *reply);
static ngx_int_t ngx_http_segments_limits_differ(ngx_http_request_t *r,
    ngx_uint_t told, ngx_uint_t asked);
static void ngx_http_segments_limits_take(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_limits_reply_t *reply);
static void ngx_http_segments_limits_log(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_uint_t dry_run);


ngx_int_t
ngx_http_segments_find_limits(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_str_t                      value;
    ngx_uint_t                     i;
    ngx_http_segments_limit_t     *limit;
    ngx_http_segments_limits_t    *limits;
    ngx_http_segments_bucket_t    *bucket;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (slcf->limits == NULL || slcf->limits->nelts == 0
        || ctx->route.operation != sg_op_create)
    {
        return NGX_OK;
    }

    limits = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_limits_t));
    if (limits == NULL) {
        return NGX_ERROR;
    }

    limits->verdict = ngx_redis_record_ok;

    limit = slcf->limits->elts;

    for (i = 0; i < slcf->limits->nelts; i++) {

        ngx_str_null(&value);

        if (limit[i].key
            && ngx_http_complex_value(r, limit[i].key, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (limit[i].key && value.len == 0) {
            continue;
        }

        bucket = &limits->bucket[limits->n++];
        bucket->limit = &limit[i];

        if (ngx_http_segments_limit_key(r, &limit[i], &value, &bucket->key)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ctx->limits = limits->n ? limits : NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_limit_key(ngx_http_request_t *r,
    ngx_http_segments_limit_t *limit, ngx_str_t *value, ngx_str_t *key)
{
    sg_buf_t                       buf;
    sg_str_t                       prefix, name, text;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    prefix = ngx_http_segments_text(&slcf->redis_prefix);
    name = ngx_http_segments_text(&limit->name);
    text = ngx_http_segments_text(value);

    sg_buf_init(&buf);
    sg_limit_key(&buf, prefix, slcf->secret->environment, name, text);

    return ngx_http_segments_take(r->pool, key, &buf);
}


void
ngx_http_segments_limits_of_claim(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_redis_limits_t *limits)
{
    ngx_uint_t                     i;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    limits->n = 0;

    if (ctx->limits == NULL) {
        return;
    }

    /* a claim may be asked for again: what came of it before is void */

    ctx->limits->verdict = ngx_redis_record_ok;
    ctx->limits->status = NULL;

    for (i = 0; i < ctx->limits->n; i++) {
        ctx->limits->bucket[i].asked = 0;
        ctx->limits->bucket[i].known = 0;
    }

    ctx->limits->alone = 0;
    ctx->limits->ntrip = 0;

    if (!ngx_redis_sharded(slcf->redis)) {
        ngx_http_segments_limits_trip(r, ctx, &ctx->record, limits);
    }
}


/* those that were not asked about yet and can be reached with the key; while
   keys are apart, the first of them */

static void
ngx_http_segments_limits_trip(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *with, ngx_redis_limits_t *limits)
{
    ngx_uint_t                     i;
    ngx_redis_limit_t             *limit;
    ngx_http_segments_bucket_t    *bucket;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    limits->n = 0;
    limits->how = slcf->rate_limit_dry_run ? ngx_redis_limits_dry_run
                                           : ngx_redis_limits_spend;
    bucket = ctx->limits->bucket;

    for (i = 0; i < ctx->limits->n; i++) {

        if (bucket[i].asked
            || (ctx->limits->alone && limits->n)
            || !ngx_redis_together(slcf->redis, with, &bucket[i].key))
        {
            continue;
        }

        bucket[i].asked = 1;
        ctx->limits->trip[limits->n] = i;

        limit = &limits->limit[limits->n++];
        limit->key = bucket[i].key;
        ngx_memcpy(limit->args, bucket[i].limit->args, sizeof(limit->args));
    }

    ctx->limits->ntrip = limits->n;
}


ngx_int_t
ngx_http_segments_limits_ask(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_redis_record_handler_pt handler)
{
    ngx_str_t                   *first;
    ngx_redis_limits_t           asked;
    ngx_http_segments_limits_t  *limits;

    limits = ctx->limits;
    first = ngx_http_segments_limits_next(ctx);

    if (first == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_segments_limits_trip(r, ctx, first, &asked);

    if (ctx->verdict != ngx_redis_record_ok) {
        asked.how = ngx_redis_limits_look;
    }

    if (ngx_http_segments_limits_receipt(r, limits, first) != NGX_OK) {
        return NGX_ERROR;
    }

    limits->cmd = ngx_redis_record_spend(&limits->receipt, &asked, handler,
                                         ctx);

    return limits->cmd ? NGX_OK : NGX_ERROR;
}


/* the first key of the next trip, NULL where there is none to be made */

static ngx_str_t *
ngx_http_segments_limits_next(ngx_http_segments_ctx_t *ctx)
{
    ngx_uint_t                   i;
    ngx_http_segments_limits_t  *limits;

    limits = ctx->limits;

    if (limits == NULL || limits->verdict != ngx_redis_record_ok) {
        return NULL;
    }

    switch (ctx->verdict) {

    case ngx_redis_record_ok:
    case ngx_redis_record_replay:
    case ngx_redis_record_tombstone:
        break;

    default:
        return NULL;
    }

    for (i = 0; i < limits->n; i++) {
        if (!limits->bucket[i].asked) {
            return &limits->bucket[i].key;
        }
    }

    return NULL;
}


/* what is paid once is not paid again, for as long as a command may travel */

static ngx_int_t
ngx_http_segments_limits_receipt(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits, ngx_str_t *key)
{
    sg_buf_t                       name;
    sg_str_t                       near, unique;
    ngx_redis_record_t            *receipt;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_http_segments_token(limits->token) != NGX_OK) {
        return NGX_ERROR;
    }

    near = ngx_http_segments_text(key);
    unique.data = limits->token;
    unique.len = sizeof(limits->token);

    receipt = &limits->receipt;

    receipt->redis = slcf->redis;
    receipt->token.data = limits->token;
    receipt->token.len = sizeof(limits->token);
    ngx_http_segments_redis_options(slcf, &receipt->options);
    receipt->ttl = 4 * slcf->redis_timeout;

    if (limits->alone) {
        receipt->name = *key;
        return NGX_OK;
    }

    sg_buf_init(&name);
    sg_limit_receipt(&name, near, unique);

    return ngx_http_segments_take(r->pool, &receipt->name, &name);
}


void
ngx_http_segments_limits_cancel(ngx_http_segments_ctx_t *ctx)
{
    if (ctx->limits && ctx->limits->cmd) {
        (void) ngx_redis_cancel(ctx->limits->cmd);
        ctx->limits->cmd = NULL;
    }
}


ngx_int_t
ngx_http_segments_limits_told(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_record_reply_t *reply)
{
    ngx_http_segments_limits_t  *limits;

    limits = ctx->limits;

    if (limits == NULL) {

        /* a refusal by a limit that there is not */

        if (reply->verdict != ngx_redis_record_limited) {
            return NGX_OK;
        }

        return ngx_http_segments_limits_differ(r, reply->limits.n, 0);
    }

    if (ngx_http_segments_limits_apart(ctx, reply)) {
        return NGX_OK;
    }

    switch (reply->verdict) {

    case ngx_redis_record_failed:
    case ngx_redis_record_lost:
    case ngx_redis_record_unreadable:
        limits->verdict = reply->verdict;
        limits->status = NULL;
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
        ngx_http_segments_limits_take(r, ctx, &reply->limits);
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
ngx_http_segments_limits_apart(ngx_http_segments_ctx_t *ctx,
    const ngx_redis_record_reply_t *reply)
{
    ngx_uint_t                   i;
    ngx_http_segments_limits_t  *limits;

    limits = ctx->limits;

    if (!reply->apart
        || limits->alone
        || ctx->verdict == ngx_redis_record_failed)     /* of a claim */
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
ngx_http_segments_limits_take(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, const ngx_redis_limits_reply_t *reply)
{
    ngx_uint_t                     i;
    ngx_http_segments_limits_t    *limits;
    ngx_http_segments_bucket_t    *bucket;
    ngx_http_segments_loc_conf_t  *slcf;

    limits = ctx->limits;

    for (i = 0; i < limits->ntrip; i++) {
        bucket = &limits->bucket[limits->trip[i]];

        bucket->state = reply->state[i];
        bucket->known = 1;
        bucket->violated = (reply->verdict == ngx_redis_limits_refused
                            && bucket->state.left == 0);
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    switch (reply->verdict) {

    case ngx_redis_limits_refused:
        limits->status = slcf->rate_limit_dry_run ? "REJECTED_DRY_RUN"
                                                  : "REJECTED";
        ngx_http_segments_limits_log(r, ctx, slcf->rate_limit_dry_run);
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
ngx_http_segments_limits_log(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_uint_t dry_run)
{
    sg_buf_t                       names;
    ngx_str_t                      text;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    sg_buf_init(&names);
    ngx_http_segments_limits_violated(ctx, &names);

    text.data = names.data;
    text.len = names.len;

    ngx_log_error(slcf->rate_limit_log_level, r->connection->log, 0,
                  "limiting creates by %V%s", &text,
                  dry_run ? ", dry run" : "");

    sg_buf_free(&names);
}
