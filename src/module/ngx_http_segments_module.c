
/*
 * The segments gateway: directives and configuration.
 */


#include "contract/sg_headers.h"
#include "contract/sg_record.h"
#include "contract/sg_sha256.h"
#include "life/ngx_http_segments_module.h"


static char *ngx_http_segments_gateway(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_segments_redis(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_segments_idempotency_wait(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_segments_statuses(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_segments_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_segments_check_prefix(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_segments_check_time(ngx_conf_t *cf, void *post,
    void *data);

static void *ngx_http_segments_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_segments_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_segments_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_segments_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_segments_merge_scope(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *conf);
static ngx_int_t ngx_http_segments_merge_statuses(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *conf);
static ngx_int_t ngx_http_segments_guard(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *prev, ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_init(ngx_conf_t *cf);
static ngx_http_segments_main_conf_t *ngx_http_segments_old_conf(
    ngx_cycle_t *cycle);
static ngx_int_t ngx_http_segments_init_metrics(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf);
static ngx_int_t ngx_http_segments_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_segments_init_process(ngx_cycle_t *cycle);
static void ngx_http_segments_exit_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_segments_operation_masks[] = {
    { ngx_string("create"), SG_OP(sg_op_create) },
    { ngx_string("list"), SG_OP(sg_op_list) },
    { ngx_string("list_system"), SG_OP(sg_op_list_system) },
    { ngx_string("get"), SG_OP(sg_op_get) },
    { ngx_string("update"), SG_OP(sg_op_update) },
    { ngx_string("delete"), SG_OP(sg_op_delete) },
    { ngx_string("all"), SG_OP_ALL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_reject_pass[] = {
    { ngx_string("reject"), NGX_HTTP_SEGMENTS_REJECT },
    { ngx_string("pass"), NGX_HTTP_SEGMENTS_PASS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_idempotency[] = {
    { ngx_string("off"), NGX_HTTP_SEGMENTS_OFF },
    { ngx_string("on"), NGX_HTTP_SEGMENTS_ON },
    { ngx_string("required"), NGX_HTTP_SEGMENTS_REQUIRED },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_unknown_policies[] = {
    { ngx_string("retry"), NGX_HTTP_SEGMENTS_RETRY },
    { ngx_string("hold"), NGX_HTTP_SEGMENTS_HOLD },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_upstream_keys[] = {
    { ngx_string("derived"), NGX_HTTP_SEGMENTS_KEY_DERIVED },
    { ngx_string("original"), NGX_HTTP_SEGMENTS_KEY_ORIGINAL },
    { ngx_string("off"), NGX_HTTP_SEGMENTS_KEY_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_segments_prefix_post = {
    ngx_http_segments_check_prefix
};


static ngx_conf_post_t  ngx_http_segments_time_post = {
    ngx_http_segments_check_time
};


static ngx_command_t  ngx_http_segments_commands[] = {

    { ngx_string("segments_gateway"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_segments_gateway,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, enable),
      NULL },

    { ngx_string("segments_operations"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_operations,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_segments_operation_masks },

    { ngx_string("segments_secret_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, secret_file),
      NULL },

    { ngx_string("segments_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_segments_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_segments_metrics,
      0,
      0,
      NULL },

    { ngx_string("segments_unknown_fields"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, unknown_fields),
      &ngx_http_segments_reject_pass },

    { ngx_string("segments_upstream_insecure"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, upstream_insecure),
      NULL },

    { ngx_string("segments_redis"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_redis,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_redis_connect_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, store.options.connect_timeout),
      &ngx_http_segments_time_post },

    { ngx_string("segments_redis_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, store.options.timeout),
      &ngx_http_segments_time_post },

    { ngx_string("segments_redis_breaker"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_segments_redis_breaker,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_redis_wait"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_segments_redis_wait,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_redis_failure"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, redis_failure),
      &ngx_http_segments_reject_pass },

    { ngx_string("segments_redis_prefix"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, store.prefix),
      &ngx_http_segments_prefix_post },

    { ngx_string("segments_idempotency"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.mode),
      &ngx_http_segments_idempotency },

    { ngx_string("segments_idempotency_scope"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.scope),
      NULL },

    { ngx_string("segments_idempotency_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.ttl),
      &ngx_http_segments_time_post },

    { ngx_string("segments_idempotency_lease"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.lease),
      &ngx_http_segments_time_post },

    { ngx_string("segments_idempotency_wait"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_segments_idempotency_wait,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_idempotency_unknown"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.unknown),
      &ngx_http_segments_unknown_policies },

    { ngx_string("segments_idempotency_statuses"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_statuses,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_idempotency_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_idempotency_max_response"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.max_response),
      NULL },

    { ngx_string("segments_idempotency_upstream_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.upstream_key),
      &ngx_http_segments_upstream_keys },

    { ngx_string("segments_rate_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_rate_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, limit),
      NULL },

    { ngx_string("segments_rate_limit_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, limit.dry_run),
      NULL },

    { ngx_string("segments_rate_limit_log_level"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, limit.log_level),
      &ngx_http_segments_log_levels },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_segments_module_ctx = {
    ngx_http_segments_add_variables,       /* preconfiguration */
    ngx_http_segments_init,                /* postconfiguration */

    ngx_http_segments_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_segments_create_srv_conf,     /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_segments_create_loc_conf,     /* create location configuration */
    ngx_http_segments_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_segments_module = {
    NGX_MODULE_V1,
    &ngx_http_segments_module_ctx,         /* module context */
    ngx_http_segments_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_segments_init_module,         /* init module */
    ngx_http_segments_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_segments_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_segments_gateway(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->named) {
        return "cannot guard a named location";
    }

#if (NGX_PCRE)
    if (clcf->regex) {
        return "cannot guard a location given by a regular expression: "
               "its path has to be the collection's";
    }
#endif

    if (clcf->name.len == 0 || clcf->name.data[clcf->name.len - 1] == '/') {
        return "cannot guard a location whose name ends in \"/\": "
               "name the collection itself, as in \"/v4/segments\"";
    }

    return ngx_conf_set_flag_slot(cf, cmd, conf);
}


static char *
ngx_http_segments_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_str_t                      *value;
    ngx_http_segments_main_conf_t  *smcf;

    if (slcf->store.redis != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    value = cf->args->elts;

    slcf->store.redis = ngx_redis_add(cf, &smcf->nodes, &value[1],
                                cf->args->nelts - 1);

    return slcf->store.redis ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_segments_idempotency_wait(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_int_t    n;
    ngx_str_t   *value, number;
    ngx_uint_t   i, *limit;

    if (slcf->idempotency.wait != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    slcf->idempotency.waiters = NGX_HTTP_SEGMENTS_WAITERS;
    slcf->idempotency.waiters_per_key = NGX_HTTP_SEGMENTS_WAITERS_PER_KEY;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        slcf->idempotency.wait = 0;
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "has parameters besides \"off\"";
    }

    slcf->idempotency.wait = ngx_parse_time(&value[1], 0);

    if (slcf->idempotency.wait == (ngx_msec_t) NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\": expected \"off\" or a time",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        number = value[i];

        if (ngx_strncmp(number.data, "waiters=", 8) == 0) {
            limit = &slcf->idempotency.waiters;
            number.data += 8;
            number.len -= 8;

        } else if (ngx_strncmp(number.data, "per_key=", 8) == 0) {
            limit = &slcf->idempotency.waiters_per_key;
            number.data += 8;
            number.len -= 8;

        } else {
            limit = NULL;
        }

        n = limit ? ngx_atoi(number.data, number.len) : NGX_ERROR;

        if (n == NGX_ERROR || n == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\": expected "
                               "\"waiters=\" or \"per_key=\" and a number "
                               "from 1 on", &value[i]);
            return NGX_CONF_ERROR;
        }

        *limit = n;
    }

    return ngx_http_segments_check_time(cf, NULL, &slcf->idempotency.wait);
}


static char *
ngx_http_segments_statuses(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    sg_str_t    word;
    ngx_str_t  *value;
    ngx_uint_t  i;

    if (slcf->idempotency.statuses != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    slcf->idempotency.statuses = ngx_pcalloc(cf->pool, sizeof(sg_statuses_t));
    if (slcf->idempotency.statuses == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        word = ngx_http_segments_text(&value[i]);

        switch (sg_statuses_add(slcf->idempotency.statuses, word)) {

        case sg_statuses_ok:
            break;

        case sg_statuses_syntax:
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid status \"%V\": expected three digits "
                               "or \"2xx\"", &value[i]);
            return NGX_CONF_ERROR;

        case sg_statuses_refused:
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "status \"%V\" cannot be remembered: it does "
                               "not say what became of the request",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (!sg_statuses_has_2xx(slcf->idempotency.statuses)) {
        return "remembers no 2xx: every retry of a created segment would "
               "create it again";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_segments_headers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    sg_str_t     name;
    ngx_str_t   *value, *header;
    ngx_uint_t   i;

    if (slcf->idempotency.headers != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    slcf->idempotency.headers = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                     sizeof(ngx_str_t));
    if (slcf->idempotency.headers == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        name = ngx_http_segments_text(&value[i]);

        if (!sg_header_is_token(name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is no name of a header", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (!sg_response_header_storable(name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "header \"%V\" cannot be stored: it belongs to "
                               "one connection, one caller or one moment",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        header = ngx_array_push(slcf->idempotency.headers);
        if (header == NULL) {
            return NGX_CONF_ERROR;
        }

        *header = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_segments_check_prefix(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *prefix = data;

    sg_str_t  str;

    str = ngx_http_segments_text(prefix);

    if (!sg_record_prefix_ok(str)) {
        return "must not contain braces: they delimit the hash tag that "
               "follows the prefix";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_segments_check_time(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *msec = data;

    /* what Redis, nginx' timers and a sum of two of them can hold */

    if (*msec == 0) {
        return "must not be zero";
    }

    if (*msec > NGX_MAX_INT32_VALUE * (ngx_msec_t) 1000) {
        return "is too long";
    }

    return NGX_CONF_OK;
}


static void *
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


static void *
ngx_http_segments_create_srv_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_srv_conf_t));
}


static void *
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
     *     conf->idempotency.waiters = 0;
     *     conf->idempotency.waiters_per_key = 0;
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
    conf->idempotency.unknown = NGX_CONF_UNSET_UINT;
    conf->idempotency.statuses = NGX_CONF_UNSET_PTR;
    conf->idempotency.headers = NGX_CONF_UNSET_PTR;
    conf->idempotency.max_response = NGX_CONF_UNSET_SIZE;
    conf->idempotency.upstream_key = NGX_CONF_UNSET_UINT;
    conf->limit.limits = NGX_CONF_UNSET_PTR;
    conf->limit.dry_run = NGX_CONF_UNSET;
    conf->limit.log_level = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
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

    ngx_conf_merge_ptr_value(conf->store.redis, prev->store.redis, NULL);
    ngx_conf_merge_msec_value(conf->store.options.connect_timeout,
                              prev->store.options.connect_timeout, 200);
    ngx_conf_merge_msec_value(conf->store.options.timeout,
                              prev->store.options.timeout, 200);
    ngx_conf_merge_uint_value(conf->store.options.failures,
                              prev->store.options.failures, 5);
    ngx_conf_merge_msec_value(conf->store.options.retry,
                              prev->store.options.retry, 1000);
    ngx_conf_merge_uint_value(conf->store.options.replicas,
                              prev->store.options.replicas, 0);
    ngx_conf_merge_msec_value(conf->store.options.wait_timeout,
                              prev->store.options.wait_timeout, 0);
    ngx_conf_merge_uint_value(conf->redis_failure, prev->redis_failure,
                              NGX_HTTP_SEGMENTS_REJECT);
    ngx_conf_merge_str_value(conf->store.prefix, prev->store.prefix,
                             "segments:");

    ngx_conf_merge_uint_value(conf->idempotency.mode, prev->idempotency.mode,
                              NGX_HTTP_SEGMENTS_ON);
    ngx_conf_merge_msec_value(conf->idempotency.ttl, prev->idempotency.ttl,
                              24 * 60 * 60 * 1000);
    ngx_conf_merge_msec_value(conf->idempotency.lease,
                              prev->idempotency.lease, 10 * 1000);

    if (conf->idempotency.wait == NGX_CONF_UNSET_MSEC) {
        conf->idempotency.wait =
            (prev->idempotency.wait == NGX_CONF_UNSET_MSEC)
            ? 0 : prev->idempotency.wait;
        conf->idempotency.waiters = prev->idempotency.waiters;
        conf->idempotency.waiters_per_key = prev->idempotency.waiters_per_key;
    }

    ngx_conf_merge_uint_value(conf->idempotency.unknown,
                              prev->idempotency.unknown,
                              NGX_HTTP_SEGMENTS_RETRY);
    ngx_conf_merge_ptr_value(conf->idempotency.headers,
                             prev->idempotency.headers, NULL);
    ngx_conf_merge_size_value(conf->idempotency.max_response,
                              prev->idempotency.max_response, 64 * 1024);
    ngx_conf_merge_uint_value(conf->idempotency.upstream_key,
                              prev->idempotency.upstream_key,
                              NGX_HTTP_SEGMENTS_KEY_DERIVED);

    ngx_conf_merge_ptr_value(conf->limit.limits, prev->limit.limits, NULL);
    ngx_conf_merge_value(conf->limit.dry_run, prev->limit.dry_run, 0);
    ngx_conf_merge_uint_value(conf->limit.log_level,
                              prev->limit.log_level, NGX_LOG_ERR);

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


static ngx_int_t
ngx_http_segments_guard(ngx_conf_t *cf, ngx_http_segments_loc_conf_t *prev,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_segments_place_t      *place;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    slcf->prefix = clcf->name;
    slcf->plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_proxy_module);

    if (ngx_http_segments_check(cf, slcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (slcf->store.redis) {
        ngx_redis_set_resolver(slcf->store.redis, clcf->resolver,
                               clcf->resolver_timeout);
        ngx_redis_set_value(slcf->store.redis, slcf->idempotency.max_response);
    }

    if (smcf->metrics.zone) {
        slcf->meter = ngx_http_segments_meter(cf,
                                              &smcf->metrics.meters);
        if (slcf->meter == NULL) {
            return NGX_ERROR;
        }
    }

    place = ngx_array_push(&smcf->guarded);
    if (place == NULL) {
        return NGX_ERROR;
    }

    place->cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    place->clcf = clcf;

    /* errors leave as Qonversion's envelope, whatever error_page says */

    clcf->error_pages = NULL;

    /* a request that was sent is not cancelled by a client that leaves */

    slcf->plcf->upstream.ignore_client_abort = 1;

    /* an answer is recorded as it came: the upstream steers nothing here */

    slcf->plcf->upstream.ignore_headers |= NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT
                                           |NGX_HTTP_UPSTREAM_IGN_XA_EXPIRES
                                           |NGX_HTTP_UPSTREAM_IGN_XA_LIMIT_RATE
                                           |NGX_HTTP_UPSTREAM_IGN_XA_BUFFERING
                                           |NGX_HTTP_UPSTREAM_IGN_XA_CHARSET;

    ngx_http_segments_receive(slcf->plcf);

    /* no way to proxy_pass but past us; "if" may run its parent's handler */

    slcf->handler = prev->handler;

    if (clcf->handler) {
        slcf->handler = clcf->handler;
        clcf->handler = ngx_http_segments_forward_handler;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt            *h;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_segments_main_conf_t  *smcf, *old;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    if (ngx_redis_check(cf, &smcf->nodes) != NGX_OK
        || ngx_http_segments_init_metrics(cf, smcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (smcf->guarded.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_segments_check_handlers(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    old = ngx_http_segments_old_conf(cf->cycle->old_cycle);

    if (old) {
        ngx_http_segments_inherit_keys(cf, &smcf->secrets, &old->secrets);
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_segments_handler;

    ngx_redis_script_init(&ngx_redis_record_script);
    ngx_redis_script_init(&ngx_redis_spend_script);

    if (ngx_http_segments_client_variables(cf) != NGX_OK
        || ngx_http_segments_judge_peers(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_segments_check_order(cf);

    return ngx_http_segments_filter_init(cf);
}


/* NULL where it was another module of this name, or none */

static ngx_http_segments_main_conf_t *
ngx_http_segments_old_conf(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    if (cycle == NULL || ngx_is_init_cycle(cycle)) {
        return NULL;
    }

    for (i = 0; cycle->modules[i]; i++) {
        if (cycle->modules[i] == &ngx_http_segments_module) {
            return ngx_http_cycle_get_module_main_conf(cycle,
                                                     ngx_http_segments_module);
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_segments_init_metrics(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (smcf->shown.cscf && smcf->metrics.zone == NULL) {
        ngx_http_segments_enter_place(cf->log, &smcf->shown);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"segments_metrics\" needs \"segments_zone\" at "
                           "the http level");
        ngx_http_segments_leave_place(cf->log, &smcf->shown);
        return NGX_ERROR;
    }

    if (smcf->metrics.zone == NULL) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_segments_count;

    return ngx_http_segments_zone_init(&smcf->metrics, &smcf->nodes);
}


static ngx_int_t
ngx_http_segments_init_module(ngx_cycle_t *cycle)
{
    ngx_log_t                      *log;
    ngx_uint_t                      debug, i;
    ngx_http_segments_place_t      *place;
    ngx_http_segments_main_conf_t  *smcf;
#if (NGX_DEBUG)
    ngx_event_conf_t               *ecf;
#endif

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_segments_module);

    if (smcf == NULL || smcf->guarded.nelts == 0) {
        return NGX_OK;
    }

    /* only now all logs are open, wherever in the file they stand */

    debug = 0;
    place = smcf->guarded.elts;

    for (i = 0; i < smcf->guarded.nelts; i++) {
        for (log = place[i].clcf->error_log; log; log = log->next) {
            debug |= log->log_level & NGX_LOG_DEBUG_HTTP;
        }
    }

#if (NGX_DEBUG)
    ecf = ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module);
    debug |= (ecf->debug_connection.nelts != 0);
#endif

    if (debug) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "error_log at debug level: nginx writes every proxied "
                      "header to it, the Secret Key of guarded locations "
                      "included");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_init_process(ngx_cycle_t *cycle)
{
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_segments_module);

    if (smcf == NULL) {
        return NGX_OK;
    }

    ngx_http_segments_zone_begin(&smcf->metrics);

    if (ngx_http_segments_publish_init(cycle, &smcf->metrics) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE)
    {
        ngx_redis_init(&smcf->nodes, cycle->log);
    }

    return ngx_http_segments_rotation_init(cycle, &smcf->secrets);
}


static void
ngx_http_segments_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                      i;
    ngx_http_segments_tenant_t    **tenant;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_segments_module);

    if (smcf) {
        tenant = smcf->tenants.elts;

        for (i = 0; i < smcf->tenants.nelts; i++) {
            ngx_http_segments_wait_exit(&tenant[i]->room);
        }

        ngx_redis_close(&smcf->nodes);
        ngx_http_segments_zone_end();
    }

    sg_sha256_free();
}
