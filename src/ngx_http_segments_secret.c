
/*
 * The Secret Key and its file.
 */


#include "ngx_http_segments_secret.h"


static ngx_http_segments_secret_t *ngx_http_segments_find_secret(
    ngx_http_segments_main_conf_t *smcf, ngx_str_t *path);
static void ngx_http_segments_secret_cleanup(void *data);
static ngx_int_t ngx_http_segments_read_secret(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret);


ngx_http_segments_secret_t *
ngx_http_segments_secret(ngx_conf_t *cf, ngx_http_segments_main_conf_t *smcf,
    ngx_str_t *path)
{
    ngx_str_t                     name;
    ngx_pool_cleanup_t           *cln;
    ngx_http_segments_secret_t   *secret, **secretp;

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    secret = ngx_http_segments_find_secret(smcf, &name);

    if (secret) {
        return secret;
    }

    secret = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_secret_t));
    secretp = ngx_array_push(&smcf->secrets);
    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (secret == NULL || secretp == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_segments_secret_cleanup;
    cln->data = secret;

    *secretp = secret;
    secret->path = name;

    return ngx_http_segments_read_secret(cf, secret) == NGX_OK ? secret : NULL;
}


static ngx_http_segments_secret_t *
ngx_http_segments_find_secret(ngx_http_segments_main_conf_t *smcf,
    ngx_str_t *path)
{
    ngx_uint_t                    i;
    ngx_http_segments_secret_t  **secret;

    secret = smcf->secrets.elts;

    for (i = 0; i < smcf->secrets.nelts; i++) {
        if (secret[i]->path.len == path->len
            && ngx_strncmp(secret[i]->path.data, path->data, path->len) == 0)
        {
            return secret[i];
        }
    }

    return NULL;
}


static void
ngx_http_segments_secret_cleanup(void *data)
{
    ngx_http_segments_secret_t *secret = data;

    ngx_http_segments_rotation_end(secret);

    ngx_http_segments_drop_key(secret->key);
    ngx_http_segments_drop_key(secret->previous);
}


static ngx_int_t
ngx_http_segments_read_secret(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret)
{
    ngx_str_t                      key;
    const char                    *wrong;
    ngx_http_segments_key_file_t   file;

    if (ngx_http_segments_read_key_file(&secret->path, &file, cf->log)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, file.err,
                           "%s key file \"%V\" failed", file.failed,
                           &secret->path);
        return NGX_ERROR;
    }

    wrong = ngx_http_segments_parse_key_file(&file, &key, &secret->environment);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key file \"%V\" %s",
                           &secret->path, wrong);
    } else {
        secret->key = ngx_http_segments_create_key(&key, cf->log);
    }

    ngx_http_segments_clear_key_file(&file);

    return secret->key ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_segments_read_key_file(ngx_str_t *path,
    ngx_http_segments_key_file_t *file, ngx_log_t *log)
{
    ssize_t   n;
    ngx_fd_t  fd;

    file->failed = NULL;
    file->size = 0;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        file->failed = ngx_open_file_n;
        file->err = ngx_errno;
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, file->data, NGX_HTTP_SEGMENTS_SECRET_MAX);

    if (n == -1) {
        file->failed = ngx_read_fd_n;
        file->err = ngx_errno;

    } else {
        file->size = n;

        if (ngx_fd_info(fd, &file->info) == NGX_FILE_ERROR) {
            file->failed = ngx_fd_info_n;
            file->err = ngx_errno;
            ngx_http_segments_clear_key_file(file);
        }
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " key file \"%V\" failed", path);
    }

    return file->failed ? NGX_ERROR : NGX_OK;
}


void
ngx_http_segments_clear_key_file(ngx_http_segments_key_file_t *file)
{
    ngx_explicit_memzero(file->data, file->size);
}


const char *
ngx_http_segments_parse_key_file(ngx_http_segments_key_file_t *file,
    ngx_str_t *key, sg_environment_e *environment)
{
    sg_str_t  content, found;

    if (file->size == NGX_HTTP_SEGMENTS_SECRET_MAX) {
        return "is too large";
    }

    content.data = file->data;
    content.len = file->size;

    switch (sg_secret_parse(content, &found, environment)) {

    case sg_secret_empty:
        return "is empty";

    case sg_secret_prefix:
        return "has no Secret Key: one starts with \"sk_\" or \"test_sk_\"";

    case sg_secret_syntax:
        return "must hold one Secret Key and nothing else";

    default: /* sg_secret_ok */
        break;
    }

    key->data = (u_char *) found.data;
    key->len = found.len;

    return NULL;
}


/* in a block of its own: a pool would keep it for longer than it is used */

ngx_http_segments_key_t *
ngx_http_segments_create_key(ngx_str_t *text, ngx_log_t *log)
{
    size_t                    size;
    u_char                   *p;
    ngx_http_segments_key_t  *key;

    size = sizeof(ngx_http_segments_key_t)
           + text->len * sizeof(u_short)
           + sizeof("Bearer ") - 1 + text->len;

    key = ngx_alloc(size, log);
    if (key == NULL) {
        return NULL;
    }

    key->users = 1;
    key->size = size;
    key->table = (u_short *) &key[1];

    p = (u_char *) &key->table[text->len];

    key->authorization.data = p;
    p = ngx_cpymem(p, "Bearer ", sizeof("Bearer ") - 1);

    key->key.data = p;
    key->key.len = text->len;
    p = ngx_cpymem(p, text->data, text->len);

    key->authorization.len = p - key->authorization.data;

    ngx_http_segments_redact_init(key);

    return key;
}


ngx_http_segments_key_t *
ngx_http_segments_use_key(ngx_http_segments_key_t *key)
{
    key->users++;

    return key;
}


void
ngx_http_segments_drop_key(ngx_http_segments_key_t *key)
{
    if (key && --key->users == 0) {
        ngx_explicit_memzero(key, key->size);
        ngx_free(key);
    }
}
