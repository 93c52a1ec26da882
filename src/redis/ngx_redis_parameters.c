
/*
 * What follows the URL: name=value.
 */


#include "ngx_redis_internal.h"


#define NGX_REDIS_MAX_PASSWORD    1024


/* in the order of ngx_redis_parameter_names */
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
static ngx_int_t ngx_redis_read_password(ngx_conf_t *cf, ngx_str_t *file,
    u_char *buf, ngx_str_t *password);


static ngx_str_t  ngx_redis_parameter_names[] = {
    ngx_string("password_file"),
    ngx_string("tls_verify"),
    ngx_string("tls_name"),
    ngx_string("tls_trusted_certificate"),
    ngx_string("tls_certificate"),
    ngx_string("tls_certificate_key")
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
    u_char      buf[NGX_REDIS_MAX_PASSWORD + 2];
    ngx_int_t   rc;
    ngx_str_t   password;

    ngx_str_null(&password);

    if (file->data == NULL && redis->user.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a user in a Redis URL needs \"password_file=\"");
        return NGX_ERROR;
    }

    if (file->data
        && (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK
            || ngx_redis_read_password(cf, file, buf, &password) != NGX_OK))
    {
        return NGX_ERROR;
    }

    rc = ngx_redis_greeting_init(cf, redis, &password);

    ngx_explicit_memzero(buf, sizeof(buf));

    return rc;
}


static ngx_int_t
ngx_redis_read_password(ngx_conf_t *cf, ngx_str_t *file, u_char *buf,
    ngx_str_t *password)
{
    size_t    len;
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, buf, NGX_REDIS_MAX_PASSWORD + 2);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", file);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    if (n == -1) {
        return NGX_ERROR;
    }

    len = n;

    if (len && buf[len - 1] == LF) {
        len--;

        if (len && buf[len - 1] == CR) {
            len--;
        }
    }

    if (len == 0
        || len > NGX_REDIS_MAX_PASSWORD
        || ngx_strlchr(buf, buf + len, LF))
    {
        ngx_explicit_memzero(buf, n);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Redis password file \"%V\" must hold one line of "
                           "1 to %d bytes", file, NGX_REDIS_MAX_PASSWORD);
        return NGX_ERROR;
    }

    password->data = buf;
    password->len = len;

    return NGX_OK;
}
