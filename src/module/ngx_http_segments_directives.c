
/*
 * Directives whose words are more than a number, a time or one of a few.
 */


#include "module/ngx_http_segments_directives.h"
#include "contract/sg_headers.h"
#include "contract/sg_record.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"


char *
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


char *
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


char *
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


char *
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


char *
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


char *
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


char *
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


char *
ngx_http_segments_contract(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (slcf->drift.sample != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        slcf->drift.sample = 0;
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "has parameters besides \"off\"";
    }

    if (ngx_strcmp(value[1].data, "log") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\": expected \"off\" or "
                           "\"log\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    slcf->drift.sample = 1;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    n = (ngx_strncmp(value[2].data, "sample=", 7) == 0)
        ? ngx_atoi(value[2].data + 7, value[2].len - 7) : NGX_ERROR;

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\": expected \"sample=\" "
                           "and a number from 1 on", &value[2]);
        return NGX_CONF_ERROR;
    }

    slcf->drift.sample = n;

    return NGX_CONF_OK;
}
