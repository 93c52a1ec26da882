
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


/* what is made of a file: begins with its path, an ngx_str_t */
typedef struct {
    size_t                size;                             /* bytes */
    int                 (*derive)(void *data, const u_char *secret);
    ngx_pool_cleanup_pt   cleanup;
} ngx_http_segments_key_kind_t;


static void *ngx_http_segments_key_of(ngx_conf_t *cf, ngx_array_t *keys,
    ngx_str_t *path, const ngx_http_segments_key_kind_t *kind);
static int ngx_http_segments_sealing_derive(void *data, const u_char *secret);
static int ngx_http_segments_hiding_derive(void *data, const u_char *secret);
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


static const ngx_http_segments_key_kind_t  ngx_http_segments_sealing_kind = {
    sizeof(ngx_http_segments_sealing_t),
    ngx_http_segments_sealing_derive,
    ngx_http_segments_sealing_cleanup
};


static const ngx_http_segments_key_kind_t  ngx_http_segments_hiding_kind = {
    sizeof(ngx_http_segments_hiding_t),
    ngx_http_segments_hiding_derive,
    ngx_http_segments_hiding_cleanup
};


ngx_http_segments_sealing_t *
ngx_http_segments_sealing(ngx_conf_t *cf,
    ngx_http_segments_seal_files_t *files, ngx_str_t *path)
{
    return ngx_http_segments_key_of(cf, &files->sealing, path,
                                    &ngx_http_segments_sealing_kind);
}


ngx_http_segments_hiding_t *
ngx_http_segments_hiding(ngx_conf_t *cf,
    ngx_http_segments_seal_files_t *files, ngx_str_t *path)
{
    return ngx_http_segments_key_of(cf, &files->hiding, path,
                                    &ngx_http_segments_hiding_kind);
}


/* "keys": pointers to what begins with its path */

static void *
ngx_http_segments_key_of(ngx_conf_t *cf, ngx_array_t *keys, ngx_str_t *path,
    const ngx_http_segments_key_kind_t *kind)
{
    u_char               secret[SG_KEY_LEN];
    ngx_int_t            rc;
    ngx_str_t            name, **known, *key;
    ngx_uint_t           i;
    ngx_pool_cleanup_t  *cln;

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    known = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        if (ngx_http_segments_same_text(known[i], &name)) {
            return known[i];
        }
    }

    if (ngx_http_segments_read_key(cf, &name, secret) != NGX_OK) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, kind->size);
    known = ngx_array_push(keys);

    if (cln == NULL || known == NULL) {
        ngx_explicit_memzero(secret, sizeof(secret));
        return NULL;
    }

    key = cln->data;
    ngx_memzero(key, kind->size);

    cln->handler = kind->cleanup;

    *key = name;
    *known = key;

    rc = kind->derive(key, secret);
    ngx_explicit_memzero(secret, sizeof(secret));

    return rc == 0 ? key : NULL;
}


static int
ngx_http_segments_sealing_derive(void *data, const u_char *secret)
{
    ngx_http_segments_sealing_t *sealing = data;

    return sg_sealing_key(&sealing->key, secret);
}


static int
ngx_http_segments_hiding_derive(void *data, const u_char *secret)
{
    ngx_http_segments_hiding_t *hiding = data;

    return sg_names(&hiding->names, secret);
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

    if (sg_seal_is_of(key.id, &sealing->key)) {
        sg_sealing_key_free(&key);
        return NGX_OK;
    }

    sg_sealing_key_free(&sealing->before);

    sealing->before = sealing->key;
    sealing->key = key;
    sealing->changed = 1;

    ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_NOTICE), log, 0,
                  "key file \"%V\" has a new sealing key", &sealing->path);

    return NGX_OK;
}


static void
ngx_http_segments_sealing_cleanup(void *data)
{
    ngx_http_segments_sealing_t *sealing = data;

    sg_sealing_key_free(&sealing->key);
    sg_sealing_key_free(&sealing->before);
}


static void
ngx_http_segments_hiding_cleanup(void *data)
{
    ngx_http_segments_hiding_t *hiding = data;

    sg_names_free(&hiding->names);
}
