
/*
 * The directive segments_idempotency_encryption.
 */


#include "module/ngx_http_segments_directives_seal.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"


/* its words, by name; empty where one is not there */
typedef struct {
    ngx_str_t                     key_file;
    ngx_str_t                     names_key_file;
    ngx_str_t                     write;
    ngx_array_t                   previous;     /* ngx_str_t */
} ngx_http_segments_seal_words_t;


static ngx_int_t ngx_http_segments_seal_words(ngx_conf_t *cf,
    ngx_http_segments_seal_words_t *words);
static ngx_int_t ngx_http_segments_seal_word(ngx_conf_t *cf, ngx_str_t *word,
    const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_segments_seal_keys(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_seal_conf_t *seal,
    ngx_http_segments_seal_words_t *words);
static ngx_int_t ngx_http_segments_seal_key(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_seal_conf_t *seal,
    ngx_str_t *path);
static ngx_int_t ngx_http_segments_seal_hiding(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_seal_conf_t *seal,
    ngx_str_t *path);


char *
ngx_http_segments_idempotency_encryption(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_segments_loc_conf_t *slcf = conf;

    ngx_str_t                       *value;
    ngx_http_segments_main_conf_t   *smcf;
    ngx_http_segments_seal_words_t   words;

    if (slcf->seal.keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        slcf->seal.keys = NULL;
        return (cf->args->nelts == 2) ? NGX_CONF_OK
                                      : "has parameters besides \"off\"";
    }

    ngx_memzero(&words, sizeof(ngx_http_segments_seal_words_t));

    if (ngx_array_init(&words.previous, cf->temp_pool, 2, sizeof(ngx_str_t))
        != NGX_OK
        || ngx_http_segments_seal_words(cf, &words) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (words.key_file.len == 0) {
        return "needs \"key_file=\"";
    }

    slcf->seal.write = 1;

    if (words.write.len) {

        if (ngx_strcmp(words.write.data, "off") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" of \"write=\": expected "
                               "\"off\"", &words.write);
            return NGX_CONF_ERROR;
        }

        slcf->seal.write = 0;
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    if (ngx_http_segments_seal_keys(cf, smcf, &slcf->seal, &words) != NGX_OK
        || ngx_http_segments_seal_hiding(cf, smcf, &slcf->seal,
                                         &words.names_key_file)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_segments_seal_words(ngx_conf_t *cf,
    ngx_http_segments_seal_words_t *words)
{
    ngx_int_t   rc;
    ngx_str_t  *value, *previous, path;
    ngx_uint_t  i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        ngx_str_null(&path);

        rc = ngx_http_segments_seal_word(cf, &value[i], "previous=", &path);

        if (rc == NGX_OK) {
            previous = ngx_array_push(&words->previous);
            if (previous == NULL) {
                return NGX_ERROR;
            }

            *previous = path;
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_segments_seal_word(cf, &value[i], "key_file=",
                                             &words->key_file);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_segments_seal_word(cf, &value[i], "names_key_file=",
                                             &words->names_key_file);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_http_segments_seal_word(cf, &value[i], "write=",
                                             &words->write);
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\": expected \"off\", or "
                               "\"key_file=\", \"previous=\", "
                               "\"names_key_file=\" and \"write=off\"",
                               &value[i]);
            return NGX_ERROR;
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* NGX_DECLINED: "word" does not begin with "name" */

static ngx_int_t
ngx_http_segments_seal_word(ngx_conf_t *cf, ngx_str_t *word, const char *name,
    ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (word->len < len || ngx_strncmp(word->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    if (value->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate \"%s\"", name);
        return NGX_ERROR;
    }

    value->data = word->data + len;
    value->len = word->len - len;

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%s\" has no value", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_seal_keys(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_seal_conf_t *seal,
    ngx_http_segments_seal_words_t *words)
{
    ngx_str_t   *previous;
    ngx_uint_t   i;

    seal->keys = ngx_array_create(cf->pool, 1 + words->previous.nelts,
                                  sizeof(ngx_http_segments_sealing_t *));
    if (seal->keys == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_segments_seal_key(cf, smcf, seal, &words->key_file) != NGX_OK)
    {
        return NGX_ERROR;
    }

    previous = words->previous.elts;

    for (i = 0; i < words->previous.nelts; i++) {
        if (ngx_http_segments_seal_key(cf, smcf, seal, &previous[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_seal_key(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_seal_conf_t *seal,
    ngx_str_t *path)
{
    ngx_uint_t                     i;
    ngx_http_segments_sealing_t  **sealing, *s;

    s = ngx_http_segments_sealing(cf, &smcf->seal_files, path);
    if (s == NULL) {
        return NGX_ERROR;
    }

    sealing = seal->keys->elts;

    for (i = 0; i < seal->keys->nelts; i++) {
        if (sealing[i] == s) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key file \"%V\" is named twice", &s->path);
            return NGX_ERROR;
        }
    }

    sealing = ngx_array_push(seal->keys);
    if (sealing == NULL) {
        return NGX_ERROR;
    }

    *sealing = s;

    return NGX_OK;
}


/* its key stays for ever, those of answers come and go */

static ngx_int_t
ngx_http_segments_seal_hiding(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_seal_conf_t *seal,
    ngx_str_t *path)
{
    ngx_uint_t                     i;
    ngx_http_segments_sealing_t  **sealing;

    if (path->len == 0) {
        return NGX_OK;
    }

    seal->hiding = ngx_http_segments_hiding(cf, &smcf->seal_files, path);
    if (seal->hiding == NULL) {
        return NGX_ERROR;
    }

    sealing = seal->keys->elts;

    for (i = 0; i < seal->keys->nelts; i++) {

        if (ngx_http_segments_same_text(&sealing[i]->path,
                                        &seal->hiding->path))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key file \"%V\" is for answers, whose keys "
                               "change: give \"names_key_file=\" one of its "
                               "own", &seal->hiding->path);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
