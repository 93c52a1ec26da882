
/*
 * A changed Secret Key is taken up without a reload, by each worker for itself.
 * Requests keep the key that they were sent with.
 */


#include "secret/ngx_http_segments_rotation.h"
#include "keyfile/ngx_http_segments_watch.h"
#include "secret/ngx_http_segments_secret.h"


static ngx_int_t ngx_http_segments_take_up_secret(void *data,
    ngx_http_segments_key_file_t *file, const char **wrong, ngx_log_t *log);
static ngx_int_t ngx_http_segments_change_key(
    ngx_http_segments_secret_t *secret, ngx_str_t *text, ngx_log_t *log);


static const ngx_http_segments_key_owner_t  ngx_http_segments_secret_owner = {
    "Secret Key",
    ngx_http_segments_take_up_secret
};


ngx_int_t
ngx_http_segments_rotation_init(ngx_cycle_t *cycle, ngx_array_t *secrets)
{
    ngx_uint_t                    i;
    ngx_http_segments_secret_t  **secret;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    secret = secrets->elts;

    for (i = 0; i < secrets->nelts; i++) {
        if (ngx_http_segments_watch(cycle, &secret[i]->path,
                                    &ngx_http_segments_secret_owner, secret[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_take_up_secret(void *data,
    ngx_http_segments_key_file_t *file, const char **wrong, ngx_log_t *log)
{
    ngx_http_segments_secret_t *secret = data;

    ngx_str_t         text;
    sg_environment_e  environment;

    *wrong = ngx_http_segments_parse_key(file, &text, &environment);

    if (*wrong) {
        return NGX_DECLINED;
    }

    if (environment != secret->environment) {
        *wrong = "has a Secret Key of the other environment, which needs a "
                 "reload";
        return NGX_DECLINED;
    }

    if (ngx_http_segments_same_key(secret->key, &text)) {
        return NGX_OK;
    }

    return ngx_http_segments_change_key(secret, &text, log);
}


static ngx_int_t
ngx_http_segments_change_key(ngx_http_segments_secret_t *secret,
    ngx_str_t *text, ngx_log_t *log)
{
    ngx_http_segments_key_t  *key;

    key = ngx_http_segments_create_key(text, log);
    if (key == NULL) {
        return NGX_ERROR;
    }

    ngx_http_segments_drop_key(secret->previous);

    secret->previous = secret->key;
    secret->key = key;

    ngx_http_segments_tell_keys(secret);

    ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_NOTICE), log, 0,
                  "key file \"%V\" has a new Secret Key, "
                  "which new requests are sent with", &secret->path);

    return NGX_OK;
}
