
/*
 * What is configured is made, and inherited.
 */


#include "module/ngx_http_segments_configuration.h"
#include "contract/sg_route.h"
#include "health/ngx_http_segments_needed.h"
#include "module/ngx_http_segments_guard.h"


static void ngx_http_segments_merge_store(ngx_http_segments_store_t *prev,
    ngx_http_segments_store_t *conf);
static void ngx_http_segments_merge_idempotency(
    ngx_http_segments_idempotency_conf_t *prev,
    ngx_http_segments_idempotency_conf_t *conf);
static ngx_int_t ngx_http_segments_merge_scope(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *conf);
static ngx_int_t ngx_http_segments_merge_statuses(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *conf);


void *
ngx_http_segments_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_main_conf_t));
    if (smcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&smcf->nodes, cf->pool, 2, sizeof(ngx_redis_t *))
        != NGX_OK
        || ngx_array_init(&smcf->secrets, cf->pool, 2,
                          sizeof(ngx_http_segments_secret_t *))
           != NGX_OK
        || ngx_array_init(&smcf->tenants, cf->pool, 2,
                          sizeof(ngx_http_segments_tenant_t *))
           != NGX_OK
        || ngx_array_init(&smcf->limits, cf->pool, 2,
                          sizeof(ngx_http_segments_owned_limit_t))
           != NGX_OK
        || ngx_array_init(&smcf->needed, cf->pool, 2,
                          sizeof(ngx_http_segments_needed_t))
           != NGX_OK
        || ngx_array_init(&smcf->seal_files.sealing, cf->pool, 2,
                          sizeof(ngx_http_segments_sealing_t *))
           != NGX_OK
        || ngx_array_init(&smcf->seal_files.hiding, cf->pool, 2,
                          sizeof(ngx_http_segments_hiding_t *))
           != NGX_OK
        || ngx_array_init(&smcf->metrics.meters, cf->pool, 4,
                          sizeof(ngx_http_segments_meter_t *))
           != NGX_OK
        || ngx_array_init(&smcf->metrics.redis_gauges, cf->pool, 2,
                          sizeof(ngx_http_segments_redis_gauge_t))
           != NGX_OK
        || ngx_array_init(&smcf->client_vars, cf->pool, 4, sizeof(ngx_uint_t))
           != NGX_OK
        || ngx_array_init(&smcf->guarded, cf->pool, 2,
                          sizeof(ngx_http_segments_place_t))
           != NGX_OK)
    {
        return NULL;
    }

    return smcf;
}


void *
ngx_http_segments_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_srv_conf_t));
}


void *
ngx_http_segments_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_segments_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->operations = 0;
     *     conf->secret_file = { 0, NULL };
     *     conf->secret = NULL;
     *     conf->store.prefix = { 0, NULL };
     *     conf->tenant = NULL;
     *     conf->store.names = NULL;
     *     conf->seal.hiding = NULL;
     *     conf->seal.write = 0;
     *     conf->drift.lines = NULL;
     *     conf->drift.metrics = NULL;
     *     conf->meter = NULL;
     *     conf->prefix = { 0, NULL };
     *     conf->handler = NULL;
     *     conf->plcf = NULL;
     */

    conf->enable = NGX_CONF_UNSET;
    conf->unknown_fields = NGX_CONF_UNSET_UINT;
    conf->upstream_insecure = NGX_CONF_UNSET;
    conf->store.redis = NGX_CONF_UNSET_PTR;
    conf->store.options.connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->store.options.timeout = NGX_CONF_UNSET_MSEC;
    conf->store.options.failures = NGX_CONF_UNSET_UINT;
    conf->store.options.retry = NGX_CONF_UNSET_MSEC;
    conf->store.options.replicas = NGX_CONF_UNSET_UINT;
    conf->store.options.wait_timeout = NGX_CONF_UNSET_MSEC;
    conf->redis_failure = NGX_CONF_UNSET_UINT;
    conf->idempotency.mode = NGX_CONF_UNSET_UINT;
    conf->idempotency.scope = NULL;
    conf->idempotency.ttl = NGX_CONF_UNSET_MSEC;
    conf->idempotency.lease = NGX_CONF_UNSET_MSEC;
    conf->idempotency.wait = NGX_CONF_UNSET_MSEC;
    conf->idempotency.waiters = NGX_CONF_UNSET_UINT;
    conf->idempotency.waiters_per_key = NGX_CONF_UNSET_UINT;
    conf->idempotency.unknown = NGX_CONF_UNSET_UINT;
    conf->idempotency.statuses = NGX_CONF_UNSET_PTR;
    conf->idempotency.headers = NGX_CONF_UNSET_PTR;
    conf->idempotency.max_response = NGX_CONF_UNSET_SIZE;
    conf->idempotency.upstream_key = NGX_CONF_UNSET_UINT;
    conf->seal.keys = NGX_CONF_UNSET_PTR;
    conf->limit.limits = NGX_CONF_UNSET_PTR;
    conf->limit.dry_run = NGX_CONF_UNSET;
    conf->limit.log_level = NGX_CONF_UNSET_UINT;
    conf->drift.sample = NGX_CONF_UNSET_UINT;

    return conf;
}


char *
ngx_http_segments_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_segments_loc_conf_t *prev = parent;
    ngx_http_segments_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" are parts of their location, others are not */

    ngx_conf_init_value(conf->enable, clcf->noname ? prev->enable : 0);

    if (conf->operations == 0) {
        conf->operations = prev->operations ? prev->operations
                                            : SG_OP(sg_op_create);
    }

    ngx_conf_merge_str_value(conf->secret_file, prev->secret_file, "");
    ngx_conf_merge_uint_value(conf->unknown_fields, prev->unknown_fields,
                              NGX_HTTP_SEGMENTS_REJECT);
    ngx_conf_merge_value(conf->upstream_insecure, prev->upstream_insecure, 0);

    ngx_conf_merge_uint_value(conf->redis_failure, prev->redis_failure,
                              NGX_HTTP_SEGMENTS_REJECT);

    ngx_http_segments_merge_store(&prev->store, &conf->store);
    ngx_http_segments_merge_idempotency(&prev->idempotency,
                                        &conf->idempotency);

    if (conf->seal.keys == NGX_CONF_UNSET_PTR) {
        conf->seal = prev->seal;
        ngx_conf_init_ptr_value(conf->seal.keys, NULL);
    }

    ngx_conf_merge_ptr_value(conf->limit.limits, prev->limit.limits, NULL);
    ngx_conf_merge_value(conf->limit.dry_run, prev->limit.dry_run, 0);
    ngx_conf_merge_uint_value(conf->limit.log_level,
                              prev->limit.log_level, NGX_LOG_ERR);

    ngx_conf_merge_uint_value(conf->drift.sample, prev->drift.sample, 0);

    if (ngx_http_segments_merge_scope(cf, prev, conf) != NGX_OK
        || ngx_http_segments_merge_statuses(cf, prev, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    if (ngx_http_segments_guard(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_segments_merge_store(ngx_http_segments_store_t *prev,
    ngx_http_segments_store_t *conf)
{
    ngx_conf_merge_ptr_value(conf->redis, prev->redis, NULL);
    ngx_conf_merge_msec_value(conf->options.connect_timeout,
                              prev->options.connect_timeout, 200);
    ngx_conf_merge_msec_value(conf->options.timeout,
                              prev->options.timeout, 200);
    ngx_redis_ttl_init(&conf->receipt, 4 * conf->options.timeout);
    ngx_conf_merge_uint_value(conf->options.failures,
                              prev->options.failures, 5);
    ngx_conf_merge_msec_value(conf->options.retry, prev->options.retry, 1000);
    ngx_conf_merge_uint_value(conf->options.replicas,
                              prev->options.replicas, 0);
    ngx_conf_merge_msec_value(conf->options.wait_timeout,
                              prev->options.wait_timeout, 0);
    ngx_conf_merge_str_value(conf->prefix, prev->prefix, "segments:");
}


static void
ngx_http_segments_merge_idempotency(ngx_http_segments_idempotency_conf_t *prev,
    ngx_http_segments_idempotency_conf_t *conf)
{
    ngx_conf_merge_uint_value(conf->mode, prev->mode, NGX_HTTP_SEGMENTS_ON);
    ngx_conf_merge_msec_value(conf->ttl, prev->ttl, 24 * 60 * 60 * 1000);
    ngx_redis_ttl_init(&conf->kept, conf->ttl);
    ngx_conf_merge_msec_value(conf->lease, prev->lease, 10 * 1000);
    ngx_conf_merge_msec_value(conf->wait, prev->wait, 10 * 1000);
    ngx_conf_merge_uint_value(conf->waiters,
                              prev->waiters,
                              NGX_HTTP_SEGMENTS_WAITERS);
    ngx_conf_merge_uint_value(conf->waiters_per_key,
                              prev->waiters_per_key,
                              NGX_HTTP_SEGMENTS_WAITERS_PER_KEY);

    ngx_conf_merge_uint_value(conf->unknown,
                              prev->unknown,
                              NGX_HTTP_SEGMENTS_RETRY);
    ngx_conf_merge_ptr_value(conf->headers, prev->headers, NULL);
    ngx_conf_merge_size_value(conf->max_response,
                              prev->max_response, 64 * 1024);
    ngx_conf_merge_uint_value(conf->upstream_key,
                              prev->upstream_key,
                              NGX_HTTP_SEGMENTS_KEY_DERIVED);
}


static ngx_int_t
ngx_http_segments_merge_scope(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *conf)
{
    ngx_str_t                          value = ngx_string("$remote_user");
    ngx_http_segments_main_conf_t     *smcf;
    ngx_http_compile_complex_value_t   ccv;

    if (conf->idempotency.scope == NULL) {
        conf->idempotency.scope = prev->idempotency.scope;
    }

    if (conf->idempotency.scope) {
        return NGX_OK;
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    if (smcf->remote_user == NULL) {

        smcf->remote_user = ngx_palloc(cf->pool,
                                       sizeof(ngx_http_complex_value_t));
        if (smcf->remote_user == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &value;
        ccv.complex_value = smcf->remote_user;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    conf->idempotency.scope = smcf->remote_user;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_merge_statuses(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *conf)
{
    ngx_uint_t  i;

    static const sg_str_t  remembered[] = {
        sg_string("2xx"), sg_string("400"), sg_string("404"),
        sg_string("409"), sg_string("422")
    };

    if (conf->idempotency.statuses != NGX_CONF_UNSET_PTR) {
        return NGX_OK;
    }

    if (prev->idempotency.statuses != NGX_CONF_UNSET_PTR
        && prev->idempotency.statuses)
    {
        conf->idempotency.statuses = prev->idempotency.statuses;
        return NGX_OK;
    }

    conf->idempotency.statuses = ngx_pcalloc(cf->pool, sizeof(sg_statuses_t));
    if (conf->idempotency.statuses == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(remembered) / sizeof(remembered[0]); i++) {
        (void) sg_statuses_add(conf->idempotency.statuses, remembered[i]);
    }

    return NGX_OK;
}
