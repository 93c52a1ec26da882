
/*
 * The Secret Keys that a configuration names, and those before them.
 */


#include "secret/ngx_http_segments_secret.h"


/* a key, and the one before it; of all workers, and read by the master */
typedef struct {
    size_t            len;              /* 0: none */
    u_char            data[NGX_HTTP_SEGMENTS_KEY_FILE_MAX];
} ngx_http_segments_text_t;


struct ngx_http_segments_taken_s {
    ngx_atomic_t              lock;     /* for ever, if a worker dies with it */
    ngx_http_segments_text_t  key;
    ngx_http_segments_text_t  previous;
};


static ngx_int_t ngx_http_segments_share_keys(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret);
static void ngx_http_segments_write_key(ngx_http_segments_text_t *text,
    ngx_http_segments_key_t *key);
static ngx_http_segments_key_t *ngx_http_segments_old_key(
    ngx_http_segments_secret_t *before, ngx_http_segments_key_t *key,
    ngx_log_t *log);
static ngx_http_segments_secret_t *ngx_http_segments_find_secret(
    ngx_array_t *secrets, ngx_str_t *path);
static ngx_http_segments_secret_t *ngx_http_segments_old_secret(
    ngx_array_t *old, ngx_array_t *secrets, ngx_http_segments_secret_t *secret);
static void ngx_http_segments_secret_cleanup(void *data);
static ngx_int_t ngx_http_segments_read_secret(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret);


ngx_http_segments_secret_t *
ngx_http_segments_secret(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_str_t *path)
{
    ngx_str_t                    name;
    ngx_pool_cleanup_t          *cln;
    ngx_http_segments_secret_t  *secret, **secretp;

    name = *path;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    secret = ngx_http_segments_find_secret(secrets, &name);

    if (secret) {
        return secret;
    }

    secret = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_secret_t));
    secretp = ngx_array_push(secrets);
    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (secret == NULL || secretp == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_segments_secret_cleanup;
    cln->data = secret;

    *secretp = secret;
    secret->path = name;

    if (ngx_http_segments_share_keys(cf, secret) != NGX_OK
        || ngx_http_segments_read_secret(cf, secret) != NGX_OK)
    {
        return NULL;
    }

    return secret;
}


/* each worker has this memory from the master process, and no other process */

static ngx_int_t
ngx_http_segments_share_keys(ngx_conf_t *cf, ngx_http_segments_secret_t *secret)
{
    secret->shm.size = ngx_align(sizeof(ngx_http_segments_taken_t),
                                 ngx_pagesize);
    secret->shm.log = cf->cycle->log;
    ngx_str_set(&secret->shm.name, "segments_secret_key_file");

    if (ngx_shm_alloc(&secret->shm) != NGX_OK) {
        return NGX_ERROR;
    }

    secret->taken = (ngx_http_segments_taken_t *) secret->shm.addr;

    return NGX_OK;
}


/* whoever comes later, or at the same time, has the same to say */

void
ngx_http_segments_tell_keys(ngx_http_segments_secret_t *secret)
{
    ngx_http_segments_taken_t  *taken;

    taken = secret->taken;

    if (!ngx_atomic_cmp_set(&taken->lock, 0, 1)) {
        return;
    }

    if (taken->key.len != secret->key->key.len
        || ngx_memcmp(taken->key.data, secret->key->key.data, taken->key.len)
           != 0)
    {
        ngx_http_segments_write_key(&taken->key, secret->key);
        ngx_http_segments_write_key(&taken->previous, secret->previous);
    }

    ngx_memory_barrier();

    ngx_unlock(&taken->lock);
}


static void
ngx_http_segments_write_key(ngx_http_segments_text_t *text,
    ngx_http_segments_key_t *key)
{
    text->len = key->key.len;
    ngx_memcpy(text->data, key->key.data, key->key.len);
}


static ngx_http_segments_secret_t *
ngx_http_segments_find_secret(ngx_array_t *secrets, ngx_str_t *path)
{
    ngx_uint_t                    i;
    ngx_http_segments_secret_t  **secret;

    secret = secrets->elts;

    for (i = 0; i < secrets->nelts; i++) {
        if (secret[i]->path.len == path->len
            && ngx_strncmp(secret[i]->path.data, path->data, path->len) == 0)
        {
            return secret[i];
        }
    }

    return NULL;
}


/*
 * An upstream may still know, and repeat, the key of the configuration before
 * this one.  Where the key is the same, what was before it stays known.
 */

void
ngx_http_segments_inherit_keys(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_array_t *old)
{
    ngx_uint_t                    i;
    ngx_http_segments_secret_t  **secret, *before;

    secret = secrets->elts;

    for (i = 0; i < secrets->nelts; i++) {

        before = ngx_http_segments_old_secret(old, secrets, secret[i]);

        if (before == NULL) {
            continue;
        }

        secret[i]->previous = ngx_http_segments_old_key(before, secret[i]->key,
                                                        cf->log);
    }
}


/* of what requests were sent with, what "key" is not; NULL where all is */

static ngx_http_segments_key_t *
ngx_http_segments_old_key(ngx_http_segments_secret_t *before,
    ngx_http_segments_key_t *key, ngx_log_t *log)
{
    ngx_str_t                   text;
    ngx_http_segments_key_t    *old;
    ngx_http_segments_taken_t  *taken;

    taken = before->taken;

    if (taken->lock || taken->key.len == 0) {
        old = ngx_http_segments_same_key(key, &before->key->key)
              ? before->previous : before->key;

        return old ? ngx_http_segments_use_key(old) : NULL;
    }

    text.data = taken->key.data;
    text.len = taken->key.len;

    if (ngx_http_segments_same_key(key, &text)) {
        text.data = taken->previous.data;
        text.len = taken->previous.len;
    }

    return ngx_http_segments_create_key(&text, log);
}


/*
 * That of the same file; of a new file, one whose own is no longer named, of
 * the same environment if there is such.
 */

static ngx_http_segments_secret_t *
ngx_http_segments_old_secret(ngx_array_t *old, ngx_array_t *secrets,
    ngx_http_segments_secret_t *secret)
{
    ngx_uint_t                   i;
    ngx_http_segments_secret_t  *found, **before;

    found = ngx_http_segments_find_secret(old, &secret->path);

    if (found) {
        return found;
    }

    before = old->elts;

    for (i = 0; i < old->nelts; i++) {

        if (ngx_http_segments_find_secret(secrets, &before[i]->path)) {
            continue;
        }

        if (before[i]->environment == secret->environment) {
            return before[i];
        }

        if (found == NULL) {
            found = before[i];
        }
    }

    return found;
}


static void
ngx_http_segments_secret_cleanup(void *data)
{
    ngx_http_segments_secret_t *secret = data;

    ngx_http_segments_drop_key(secret->key);
    ngx_http_segments_drop_key(secret->previous);

    if (secret->taken == NULL) {
        return;
    }

    /* other workers may still have something to say */

    if (ngx_process == NGX_PROCESS_MASTER || ngx_process == NGX_PROCESS_SINGLE)
    {
        ngx_explicit_memzero(secret->taken, sizeof(ngx_http_segments_taken_t));
    }

    ngx_shm_free(&secret->shm);
}


static ngx_int_t
ngx_http_segments_read_secret(ngx_conf_t *cf,
    ngx_http_segments_secret_t *secret)
{
    ngx_str_t                     key;
    const char                   *wrong;
    ngx_http_segments_key_file_t  file;

    if (ngx_http_segments_read_key_file(&secret->path, &file, cf->log)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, file.err,
                           "%s key file \"%V\" failed", file.failed,
                           &secret->path);
        return NGX_ERROR;
    }

    wrong = ngx_http_segments_parse_key(&file, &key, &secret->environment);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "key file \"%V\" %s",
                           &secret->path, wrong);
    } else {
        secret->key = ngx_http_segments_create_key(&key, cf->log);
    }

    ngx_http_segments_clear_key_file(&file);

    return secret->key ? NGX_OK : NGX_ERROR;
}
