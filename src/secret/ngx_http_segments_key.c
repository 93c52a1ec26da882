
/*
 * One Secret Key.
 */


#include "secret/ngx_http_segments_key.h"


static void ngx_http_segments_key_table(ngx_http_segments_key_t *key);


const char *
ngx_http_segments_parse_key(ngx_http_segments_key_file_t *file,
    ngx_str_t *text, sg_environment_e *environment)
{
    sg_str_t  content, found;

    if (file->size == NGX_HTTP_SEGMENTS_KEY_FILE_MAX) {
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

    text->data = (u_char *) found.data;
    text->len = found.len;

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

    ngx_http_segments_key_table(key);

    return key;
}


/* table[n]: the longest proper prefix of key[0..n] that is its suffix, too */

static void
ngx_http_segments_key_table(ngx_http_segments_key_t *key)
{
    size_t   i, n, len;
    u_char  *p;

    p = key->key.data;
    len = key->key.len;

    key->table[0] = 0;
    key->plain = 1;
    n = 0;

    for (i = 1; i < len; i++) {

        if (ngx_strchr("/+=~", p[i])) {
            key->plain = 0;
        }

        while (n && p[i] != p[n]) {
            n = key->table[n - 1];
        }

        if (p[i] == p[n]) {
            n++;
        }

        key->table[i] = n;
    }
}


ngx_http_segments_key_t *
ngx_http_segments_use_key(ngx_http_segments_key_t *key)
{
    key->users++;

    return key;
}


ngx_uint_t
ngx_http_segments_same_key(ngx_http_segments_key_t *key, ngx_str_t *text)
{
    return key->key.len == text->len
           && ngx_memcmp(key->key.data, text->data, text->len) == 0;
}


void
ngx_http_segments_drop_key(ngx_http_segments_key_t *key)
{
    if (key && --key->users == 0) {
        ngx_explicit_memzero(key, key->size);
        ngx_free(key);
    }
}
