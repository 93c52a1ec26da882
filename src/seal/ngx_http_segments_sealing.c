
/*
 * The keys that stored answers are sealed with, and that names are hidden by.
 *
 * A changed sealing key is taken up without a reload, by each worker for
 * itself, which goes on opening what the one before has sealed.  The key of
 * names is not: with another one there would be no record of before.
 */


#include "seal/ngx_http_segments_sealing.h"
#include "keyfile/ngx_http_segments_watch.h"
#include "message/ngx_http_segments_text.h"


static ngx_int_t ngx_http_segments_read_key(ngx_conf_t *cf, ngx_str_t *path,
    u_char *secret);
static const char *ngx_http_segments_parse_sealing(
    ngx_http_segments_key_file_t *file, u_char *secret);
static ngx_int_t ngx_http_segments_take_up_sealing(void *data,
    ngx_http_segments_key_file_t *file, const char **wrong, ngx_log_t *log);
static void ngx_http_segments_sealing_cleanup(void *data);
static void ngx_http_segments_hiding_cleanup(void *data);


static const ngx_http_segments_key_owner_t  ngx_http_segments_sealing_owner = {
    "sealing key",
    ngx_http_segments_take_up_sealing
};


ngx_http_segments_sealing_t *
ngx_http_segments_sealing(ngx_conf_t *cf,
    ngx_http_segments_seal_files_t *files, ngx_str_t *path)
{
    u_char                         secret[SG_KEY_LEN];
    ngx_int_t                      rc;
    ngx_str_t                      name;
    ngx_uint_t                     i;
    ngx_pool_cleanup_t            *cln;
    ngx_http_segments_sealing_t  **sealing, *s;

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    sealing = files->sealing.elts;

    for (i = 0; i < files->sealing.nelts; i++) {
        if (ngx_http_segments_same_text(&sealing[i]->path, &name)) {
            return sealing[i];
        }
    }

    if (ngx_http_segments_read_key(cf, &name, secret) != NGX_OK) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_segments_sealing_t));
    sealing = ngx_array_push(&files->sealing);
    if (cln == NULL || sealing == NULL) {
        return NULL;
    }

    s = cln->data;
    ngx_memzero(s, sizeof(ngx_http_segments_sealing_t));

    cln->handler = ngx_http_segments_sealing_cleanup;

    s->path = name;
    *sealing = s;

    rc = sg_sealing_key(&s->key, secret);
    ngx_explicit_memzero(secret, sizeof(secret));

    return rc == 0 ? s : NULL;
}


ngx_http_segments_hiding_t *
ngx_http_segments_hiding(ngx_conf_t *cf,
    ngx_http_segments_seal_files_t *files, ngx_str_t *path)
{
    u_char                        secret[SG_KEY_LEN];
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_uint_t                    i;
    ngx_pool_cleanup_t           *cln;
    ngx_http_segments_hiding_t  **hiding, *h;

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    hiding = files->hiding.elts;

    for (i = 0; i < files->hiding.nelts; i++) {
        if (ngx_http_segments_same_text(&hiding[i]->path, &name)) {
            return hiding[i];
        }
    }

    if (ngx_http_segments_read_key(cf, &name, secret) != NGX_OK) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_segments_hiding_t));
    hiding = ngx_array_push(&files->hiding);
    if (cln == NULL || hiding == NULL) {
        return NULL;
    }

    h = cln->data;
    ngx_memzero(h, sizeof(ngx_http_segments_hiding_t));

    cln->handler = ngx_http_segments_hiding_cleanup;

    h->path = name;
    *hiding = h;

    rc = sg_names(&h->names, secret);
    ngx_explicit_memzero(secret, sizeof(secret));

    return rc == 0 ? h : NULL;
}


static ngx_int_t
ngx_http_segments_read_key(ngx_conf_t *cf, ngx_str_t *path, u_char *secret)
{
    const char                    *wrong;
    ngx_http_segments_key_file_t   file;

    if (ngx_http_segments_read_key_file(path, &file, cf->log) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, file.err,
                           "%s key file \"%V\" failed", file.failed, path);
        return NGX_ERROR;
    }

    wrong = ngx_http_segments_parse_sealing(&file, secret);

    ngx_http_segments_clear_key_file(&file);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key file \"%V\" %s", path,
                           wrong);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* NULL, or what is wrong with the file: words that follow its name */

static const char *
ngx_http_segments_parse_sealing(ngx_http_segments_key_file_t *file,
    u_char *secret)
{
    sg_str_t  text;

    if (file->size == NGX_HTTP_SEGMENTS_KEY_FILE_MAX) {
        return "is too large";
    }

    text.data = file->data;
    text.len = file->size;

    switch (sg_key_text(secret, text)) {

    case sg_key_text_empty:
        return "is empty";

    case sg_key_text_syntax:
        return "must hold 32 bytes, in base64 or as hexadecimal digits, and "
               "nothing else";

    default: /* sg_key_text_ok */
        return NULL;
    }
}


ngx_int_t
ngx_http_segments_sealing_init(ngx_cycle_t *cycle,
    ngx_http_segments_seal_files_t *files)
{
    ngx_uint_t                     i;
    ngx_http_segments_sealing_t  **sealing;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    sealing = files->sealing.elts;

    for (i = 0; i < files->sealing.nelts; i++) {
        if (ngx_http_segments_watch(cycle, &sealing[i]->path,
                                    &ngx_http_segments_sealing_owner,
                                    sealing[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_take_up_sealing(void *data,
    ngx_http_segments_key_file_t *file, const char **wrong, ngx_log_t *log)
{
    ngx_http_segments_sealing_t *sealing = data;

    u_char            secret[SG_KEY_LEN];
    ngx_int_t         rc;
    sg_sealing_key_t  key;

    *wrong = ngx_http_segments_parse_sealing(file, secret);

    if (*wrong) {
        return NGX_DECLINED;
    }

    rc = sg_sealing_key(&key, secret);
    ngx_explicit_memzero(secret, sizeof(secret));

    if (rc != 0) {
        return NGX_ERROR;
    }

    if (ngx_memcmp(&key, &sealing->key, sizeof(sg_sealing_key_t)) != 0) {
        sealing->before = sealing->key;
        sealing->key = key;
        sealing->changed = 1;

        ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_NOTICE), log, 0,
                      "key file \"%V\" has a new sealing key", &sealing->path);
    }

    ngx_explicit_memzero(&key, sizeof(sg_sealing_key_t));

    return NGX_OK;
}


static void
ngx_http_segments_sealing_cleanup(void *data)
{
    ngx_explicit_memzero(data, sizeof(ngx_http_segments_sealing_t));
}


static void
ngx_http_segments_hiding_cleanup(void *data)
{
    ngx_explicit_memzero(data, sizeof(ngx_http_segments_hiding_t));
}
