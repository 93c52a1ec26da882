
/*
 * The limits of a create: which there are, and what Redis says of them.
 */


#include "limit/ngx_http_segments_limit.h"
#include "message/ngx_http_segments_text.h"


static ngx_int_t ngx_http_segments_limit_key(ngx_http_segments_limits_t *limits,
    ngx_http_segments_limit_t *limit, ngx_str_t *value, ngx_str_t *key);
static void ngx_http_segments_limits_trip(ngx_http_segments_limits_t *limits,
    ngx_str_t *with);
static ngx_str_t *ngx_http_segments_limits_next(
    ngx_http_segments_limits_t *limits, ngx_redis_record_verdict_e verdict);
static ngx_int_t ngx_http_segments_limits_receipt(
    ngx_http_segments_limits_t *limits, ngx_str_t *key);


ngx_int_t
ngx_http_segments_find_limits(ngx_http_request_t *r,
    ngx_http_segments_limit_conf_t *conf, ngx_http_segments_store_t *store,
    ngx_http_segments_limits_t **found)
{
    ngx_str_t                    value;
    ngx_uint_t                   i;
    ngx_http_segments_limit_t   *limit;
    ngx_http_segments_limits_t  *limits;
    ngx_http_segments_bucket_t  *bucket;

    if (conf->limits == NULL || conf->limits->nelts == 0) {
        return NGX_OK;
    }

    limits = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_limits_t));
    if (limits == NULL) {
        return NGX_ERROR;
    }

    limits->request = r;
    limits->conf = conf;
    limits->store = store;
    limits->verdict = ngx_redis_record_ok;

    limit = conf->limits->elts;

    for (i = 0; i < conf->limits->nelts; i++) {

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

        if (ngx_http_segments_limit_key(limits, &limit[i], &value,
                                        &bucket->key)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (limits->n) {
        *found = limits;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_limit_key(ngx_http_segments_limits_t *limits,
    ngx_http_segments_limit_t *limit, ngx_str_t *value, ngx_str_t *key)
{
    u_char             room[256];
    sg_buf_t           buf;
    sg_str_t           prefix, name, text;
    unsigned char      hidden[SG_NAMES_LEN];
    const sg_names_t  *names;

    prefix = ngx_http_segments_text(&limits->store->prefix);
    name = ngx_http_segments_text(&limit->name);
    text = ngx_http_segments_text(value);

    names = limits->store->names;

    if (names) {
        if (sg_names_limit(hidden, names, text) != 0) {
            return NGX_ERROR;
        }

        text.data = hidden;
        text.len = SG_NAMES_LEN;
    }

    sg_buf_init_room(&buf, room, sizeof(room));
    sg_limit_key(&buf, prefix, limits->store->environment, name, text);

    return ngx_http_segments_take(limits->request->pool, key, &buf);
}


const ngx_redis_limits_t *
ngx_http_segments_limits_of_claim(ngx_http_segments_limits_t *limits,
    ngx_str_t *name)
{
    ngx_uint_t  i;

    if (limits == NULL || limits->paid) {
        return NULL;
    }

    /* a claim may be asked for again: what came of it before is void */

    limits->verdict = ngx_redis_record_ok;
    limits->status = NULL;
    limits->refused = 0;

    for (i = 0; i < limits->n; i++) {
        limits->bucket[i].violated = 0;
        limits->bucket[i].asked = 0;
        limits->bucket[i].known = 0;
    }

    limits->alone = 0;
    limits->ntrip = 0;

    if (ngx_redis_sharded(limits->store->redis)) {
        return NULL;
    }

    ngx_http_segments_limits_trip(limits, name);

    return &limits->asked;
}


/* those that were not asked about yet and can be reached with the key; while
   keys are apart, the first of them */

static void
ngx_http_segments_limits_trip(ngx_http_segments_limits_t *limits,
    ngx_str_t *with)
{
    ngx_uint_t                   i;
    ngx_redis_limit_t           *limit;
    ngx_redis_limits_t          *asked;
    ngx_http_segments_bucket_t  *bucket;

    asked = &limits->asked;
    asked->n = 0;
    asked->how = limits->conf->dry_run ? ngx_redis_limits_dry_run
                                        : ngx_redis_limits_spend;
    bucket = limits->bucket;

    for (i = 0; i < limits->n; i++) {

        if (bucket[i].asked
            || (limits->alone && asked->n)
            || !ngx_redis_together(limits->store->redis, with, &bucket[i].key))
        {
            continue;
        }

        bucket[i].asked = 1;
        limits->trip[asked->n] = i;

        limit = &asked->limit[asked->n++];
        limit->key = bucket[i].key;
        ngx_memcpy(limit->args, bucket[i].limit->args, sizeof(limit->args));
    }

    limits->ntrip = asked->n;
}


ngx_int_t
ngx_http_segments_limits_ask(ngx_http_segments_limits_t *limits,
    ngx_redis_record_verdict_e verdict, ngx_redis_record_handler_pt handler,
    void *data)
{
    ngx_str_t  *first;

    first = ngx_http_segments_limits_next(limits, verdict);

    if (first == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_segments_limits_trip(limits, first);

    if (verdict != ngx_redis_record_ok) {
        limits->asked.how = ngx_redis_limits_look;
    }

    if (ngx_http_segments_limits_receipt(limits, first) != NGX_OK) {
        return NGX_ERROR;
    }

    limits->cmd = ngx_redis_record_spend(&limits->receipt, &limits->asked,
                                         handler, data);

    return limits->cmd ? NGX_OK : NGX_ERROR;
}


/* the first key of the next trip, NULL where there is none to be made */

static ngx_str_t *
ngx_http_segments_limits_next(ngx_http_segments_limits_t *limits,
    ngx_redis_record_verdict_e verdict)
{
    ngx_uint_t  i;

    if (limits == NULL || limits->verdict != ngx_redis_record_ok) {
        return NULL;
    }

    switch (verdict) {

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
ngx_http_segments_limits_receipt(ngx_http_segments_limits_t *limits,
    ngx_str_t *key)
{
    u_char               room[256], token[2 * SG_VALUE_TOKEN];
    sg_buf_t             name;
    sg_str_t             near, unique;
    ngx_redis_record_t  *receipt;

    receipt = &limits->receipt;

    if (ngx_http_segments_token(receipt->token) != NGX_OK) {
        return NGX_ERROR;
    }

    near = ngx_http_segments_text(key);
    unique.data = token;
    unique.len = ngx_hex_dump(token, receipt->token, SG_VALUE_TOKEN) - token;

    receipt->redis = limits->store->redis;
    receipt->options = limits->store->options;
    receipt->options.replicas = 0;
    receipt->ttl = &limits->store->receipt;

    if (limits->alone) {
        receipt->name = *key;
        return NGX_OK;
    }

    sg_buf_init_room(&name, room, sizeof(room));
    sg_limit_receipt(&name, near, unique);

    return ngx_http_segments_take(limits->request->pool, &receipt->name, &name);
}


void
ngx_http_segments_limits_cancel(ngx_http_segments_limits_t *limits)
{
    if (limits && limits->cmd) {
        (void) ngx_redis_cancel(limits->cmd);
        limits->cmd = NULL;
    }
}
