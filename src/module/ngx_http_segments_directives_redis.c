
/*
 * Directives about how Redis is used, of more than one word.
 */


#include "module/ngx_http_segments_directives_redis.h"
#include "life/ngx_http_segments_conf.h"


static ngx_int_t ngx_http_segments_redis_number(ngx_conf_t *cf,
    ngx_str_t *word, const char *name, ngx_uint_t *number);
static ngx_int_t ngx_http_segments_redis_time(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_msec_t *time);


char *
ngx_http_segments_redis_breaker(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (slcf->store.options.failures != NGX_CONF_UNSET_UINT
        || slcf->store.options.retry != NGX_CONF_UNSET_MSEC)
    {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        slcf->store.options.failures = 0;
        slcf->store.options.retry = 1000;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        rc = ngx_http_segments_redis_number(cf, &value[i], "failures=",
                                            &slcf->store.options.failures);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_segments_redis_time(cf, &value[i], "retry=",
                                              &slcf->store.options.retry);
        }

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\": expected \"off\", or "
                               "\"failures=\" and \"retry=\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    ngx_conf_init_uint_value(slcf->store.options.failures, 5);
    ngx_conf_init_msec_value(slcf->store.options.retry, 1000);

    return NGX_CONF_OK;
}


char *
ngx_http_segments_redis_wait(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (slcf->store.options.replicas != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        slcf->store.options.replicas = 0;
        slcf->store.options.wait_timeout = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        rc = ngx_http_segments_redis_number(cf, &value[i], "replicas=",
                                            &slcf->store.options.replicas);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_segments_redis_time(cf, &value[i], "timeout=",
                                          &slcf->store.options.wait_timeout);
        }

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\": expected \"off\", or "
                               "\"replicas=\" and \"timeout=\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (slcf->store.options.replicas == NGX_CONF_UNSET_UINT
        || slcf->store.options.wait_timeout == NGX_CONF_UNSET_MSEC)
    {
        return "needs \"replicas=\" and \"timeout=\"";
    }

    return NGX_CONF_OK;
}


/* NGX_DECLINED: "word" does not begin with "name" */

static ngx_int_t
ngx_http_segments_redis_number(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_uint_t *number)
{
    size_t     len;
    ngx_int_t  n;

    len = ngx_strlen(name);

    if (word->len < len || ngx_strncmp(word->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    if (*number != NGX_CONF_UNSET_UINT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate \"%s\"", name);
        return NGX_ERROR;
    }

    n = ngx_atoi(word->data + len, word->len - len);

    if (n < 1 || n > 1000000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number in \"%V\": expected 1 to 1000000",
                           word);
        return NGX_ERROR;
    }

    *number = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_redis_time(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_msec_t *time)
{
    size_t      len;
    ngx_int_t   ms;
    ngx_str_t   text;

    len = ngx_strlen(name);

    if (word->len < len || ngx_strncmp(word->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    if (*time != NGX_CONF_UNSET_MSEC) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate \"%s\"", name);
        return NGX_ERROR;
    }

    text.data = word->data + len;
    text.len = word->len - len;

    ms = ngx_parse_time(&text, 0);

    if (ms < 1 || ms > (ngx_int_t) NGX_MAX_INT32_VALUE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time in \"%V\": expected 1ms to %dms",
                           word, NGX_MAX_INT32_VALUE);
        return NGX_ERROR;
    }

    *time = ms;

    return NGX_OK;
}
