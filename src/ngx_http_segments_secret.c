
/*
 * The Secret Key's file.
 */


#include "ngx_http_segments_module.h"


/* a key is some dozens of bytes; what is larger is another file */
#define NGX_HTTP_SEGMENTS_SECRET_MAX  4096


static ngx_int_t ngx_http_segments_read_file(ngx_conf_t *cf, ngx_str_t *path,
    u_char *buf, size_t *size);
static ngx_int_t ngx_http_segments_parse_secret(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret, u_char *buf, size_t size);


/* the same path gives the same key; NULL after an emerg log line */

ngx_http_segments_secret_t *
ngx_http_segments_secret(ngx_conf_t *cf, ngx_http_segments_main_conf_t *smcf,
    ngx_str_t *path)
{
    u_char                       buf[NGX_HTTP_SEGMENTS_SECRET_MAX];
    size_t                       size;
    ngx_str_t                    name;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_segments_secret_t  *secret, **secretp;

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    secretp = smcf->secrets.elts;

    for (i = 0; i < smcf->secrets.nelts; i++) {
        if (secretp[i]->path.len == name.len
            && ngx_strncmp(secretp[i]->path.data, name.data, name.len) == 0)
        {
            return secretp[i];
        }
    }

    secret = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_secret_t));
    secretp = ngx_array_push(&smcf->secrets);
    if (secret == NULL || secretp == NULL) {
        return NULL;
    }

    *secretp = secret;
    secret->path = name;

    if (ngx_http_segments_read_file(cf, &name, buf, &size) != NGX_OK) {
        return NULL;
    }

    rc = ngx_http_segments_parse_secret(cf, secret, buf, size);

    ngx_explicit_memzero(buf, size);

    return rc == NGX_OK ? secret : NULL;
}


static ngx_int_t
ngx_http_segments_read_file(ngx_conf_t *cf, ngx_str_t *path, u_char *buf,
    size_t *size)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " key file \"%V\" failed", path);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, buf, NGX_HTTP_SEGMENTS_SECRET_MAX);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " key file \"%V\" failed", path);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " key file \"%V\" failed", path);
    }

    if (n == -1) {
        return NGX_ERROR;
    }

    *size = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_parse_secret(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret, u_char *buf, size_t size)
{
    u_char      *p;
    u_short     *table;
    sg_str_t     file, key;
    const char  *wrong;

    file.data = buf;
    file.len = size;

    wrong = "is too large";

    if (size < NGX_HTTP_SEGMENTS_SECRET_MAX) {

        switch (sg_secret_parse(file, &key, &secret->environment)) {

        case sg_secret_ok:
            wrong = NULL;
            break;

        case sg_secret_empty:
            wrong = "is empty";
            break;

        case sg_secret_prefix:
            wrong = "has no Secret Key: one starts with \"sk_\" or "
                    "\"test_sk_\"";
            break;

        case sg_secret_syntax:
            wrong = "must hold one Secret Key and nothing else";
            break;
        }
    }

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key file \"%V\" %s",
                           &secret->path, wrong);
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->pool, sizeof("Bearer ") - 1 + key.len);
    table = ngx_palloc(cf->pool, key.len * sizeof(u_short));
    if (p == NULL || table == NULL) {
        return NGX_ERROR;
    }

    secret->authorization.data = p;
    p = ngx_cpymem(p, "Bearer ", sizeof("Bearer ") - 1);

    secret->key.data = p;
    secret->key.len = key.len;
    p = ngx_cpymem(p, key.data, key.len);

    secret->authorization.len = p - secret->authorization.data;

    ngx_http_segments_redact_init(secret, table);

    return NGX_OK;
}
