
/*
 * What follows the URL: name=value.
 */


#include "redis/conf/ngx_redis_parameters.h"
#include "redis/conf/ngx_redis_conf.h"


typedef enum {
    ngx_redis_password_file = 0,
    ngx_redis_tls_verify,               /* the first about TLS */
    ngx_redis_tls_name,
    ngx_redis_tls_trusted_certificate,
    ngx_redis_tls_certificate,
    ngx_redis_tls_certificate_key,
    ngx_redis_nparameters
} ngx_redis_parameter_e;


static ngx_int_t ngx_redis_parameter(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *values, ngx_str_t *arg);
static ngx_int_t ngx_redis_tls_parameters(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *values);
static ngx_int_t ngx_redis_password(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *file);


static ngx_str_t  ngx_redis_parameter_names[] = {
    [ngx_redis_password_file] = ngx_string("password_file"),
    [ngx_redis_tls_verify] = ngx_string("tls_verify"),
    [ngx_redis_tls_name] = ngx_string("tls_name"),
    [ngx_redis_tls_trusted_certificate] =
        ngx_string("tls_trusted_certificate"),
    [ngx_redis_tls_certificate] = ngx_string("tls_certificate"),
    [ngx_redis_tls_certificate_key] = ngx_string("tls_certificate_key")
};


ngx_int_t
ngx_redis_parameters(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *args,
    ngx_uint_t nargs)
{
    ngx_str_t   values[ngx_redis_nparameters];
    ngx_uint_t  i;

    ngx_memzero(values, sizeof(values));

    for (i = 0; i < nargs; i++) {
        if (ngx_redis_parameter(cf, redis, values, &args[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (redis->secure
        && ngx_redis_tls_parameters(cf, redis, values) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_redis_password(cf, redis, &values[ngx_redis_password_file]);
}


static ngx_int_t
ngx_redis_parameter(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *values,
    ngx_str_t *arg)
{
    u_char      *eq;
    ngx_str_t    name;
    ngx_uint_t   i;

    eq = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (eq == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "what follows a Redis URL is \"name=value\"");
        return NGX_ERROR;
    }

    name.data = arg->data;
    name.len = eq - arg->data;

    for (i = 0; i < ngx_redis_nparameters; i++) {
        if (name.len == ngx_redis_parameter_names[i].len
            && ngx_strncmp(name.data, ngx_redis_parameter_names[i].data,
                           name.len)
               == 0)
        {
            break;
        }
    }

    if (i == ngx_redis_nparameters) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown Redis parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    if (values[i].data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate Redis parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    if (i >= ngx_redis_tls_verify && !redis->secure) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Redis parameter \"%V\" needs TLS: "
                           "a URL that begins with \"rediss\"", &name);
        return NGX_ERROR;
    }

    values[i].data = eq + 1;
    values[i].len = arg->data + arg->len - values[i].data;

    if (values[i].len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no value in Redis parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_redis_tls_parameters(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *values)
{
    ngx_str_t   *verify;
    ngx_uint_t   on;

    verify = &values[ngx_redis_tls_verify];

    on = (verify->len == 0
          || (verify->len == 2 && ngx_strncmp(verify->data, "on", 2) == 0));

    if (!on
        && (verify->len != 3 || ngx_strncmp(verify->data, "off", 3) != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Redis parameter \"tls_verify\" is \"on\" or "
                           "\"off\"");
        return NGX_ERROR;
    }

    if ((values[ngx_redis_tls_certificate].len == 0)
        != (values[ngx_redis_tls_certificate_key].len == 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Redis parameters \"tls_certificate\" and "
                           "\"tls_certificate_key\" need each other");
        return NGX_ERROR;
    }

    return ngx_redis_tls_init(cf, redis, on,
                              &values[ngx_redis_tls_name],
                              &values[ngx_redis_tls_trusted_certificate],
                              &values[ngx_redis_tls_certificate],
                              &values[ngx_redis_tls_certificate_key]);
}


static ngx_int_t
ngx_redis_password(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *file)
{
    if (file->data == NULL && redis->user.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a user in a Redis URL needs \"password_file=\"");
        return NGX_ERROR;
    }

    if (file->data
        && ngx_redis_password_init(cf, &redis->password, file) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_redis_greeting_init(redis);

    return NGX_OK;
}
