
/*
 * A changed key file is taken up without a reload, by each worker for itself:
 * it looks at the file once in an interval, and reads it when it has changed
 * and then stayed as it was for an interval, so that one that is being written
 * is left alone.  Whatever is wrong with it, the key at hand stays.
 *
 * Requests keep the key that they were sent with.
 */


#include "secret/ngx_http_segments_rotation.h"
#include "metrics/ngx_http_segments_gauge.h"
#include "secret/ngx_http_segments_key_file.h"
#include "secret/ngx_http_segments_look.h"
#include "secret/ngx_http_segments_secret.h"


/* of one worker */
typedef struct {
    ngx_event_t                    timer;
    ngx_http_segments_secret_t    *secret;
    ngx_log_t                     *log;
    ngx_http_segments_sight_t      seen;
    unsigned                       closed:1;    /* to us, from the start */
    unsigned                       unread:1;    /* what was seen */
    unsigned                       told:1;      /* that it cannot be read */
    unsigned                       refused:1;   /* counted as such */
} ngx_http_segments_watch_t;


static ngx_int_t ngx_http_segments_watch(ngx_cycle_t *cycle,
    ngx_http_segments_secret_t *secret);
static void ngx_http_segments_knock(ngx_http_segments_watch_t *watch);
static void ngx_http_segments_watch_cleanup(void *data);
static void ngx_http_segments_watch_handler(ngx_event_t *ev);
static void ngx_http_segments_see(ngx_http_segments_watch_t *watch,
    ngx_http_segments_sight_t *sight);
static void ngx_http_segments_take_up(ngx_http_segments_watch_t *watch);
static void ngx_http_segments_judge_file(ngx_http_segments_watch_t *watch,
    ngx_http_segments_key_file_t *file);
static void ngx_http_segments_change_key(ngx_http_segments_watch_t *watch,
    ngx_str_t *text);
static void ngx_http_segments_not_opened(ngx_http_segments_watch_t *watch,
    const char *failed, ngx_err_t err);
static void ngx_http_segments_mark(ngx_http_segments_watch_t *watch,
    ngx_uint_t refused);
static void ngx_http_segments_refuse_file(ngx_http_segments_watch_t *watch,
    const char *wrong);
static ngx_uint_t ngx_http_segments_watch_level(ngx_uint_t level);


/* of this worker: files that are not used as they are */
static ngx_uint_t  ngx_http_segments_refused_files;


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
        if (ngx_http_segments_watch(cycle, secret[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The file may have changed since the configuration was read: a worker that
 * takes a dead one's place starts with the first key, and has to take up at
 * once what the other workers have.
 */

static ngx_int_t
ngx_http_segments_watch(ngx_cycle_t *cycle, ngx_http_segments_secret_t *secret)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_segments_sight_t   sight;
    ngx_http_segments_watch_t  *watch;

    watch = ngx_pcalloc(cycle->pool, sizeof(ngx_http_segments_watch_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (watch == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    /* before that of the secret, which is older */

    cln->handler = ngx_http_segments_watch_cleanup;
    cln->data = watch;

    watch->secret = secret;
    watch->log = cycle->log;

    watch->timer.handler = ngx_http_segments_watch_handler;
    watch->timer.data = watch;
    watch->timer.log = cycle->log;
    watch->timer.cancelable = 1;

    ngx_http_segments_knock(watch);

    ngx_http_segments_look(&secret->path, &sight);
    ngx_http_segments_see(watch, &sight);

    if (ngx_http_segments_unchanged(&sight)) {
        ngx_http_segments_take_up(watch);
    }

    ngx_add_timer(&watch->timer, NGX_HTTP_SEGMENTS_LOOK);

    return NGX_OK;
}


/* root may have it for itself, and the master process has read it as root */

static void
ngx_http_segments_knock(ngx_http_segments_watch_t *watch)
{
    ngx_fd_t    fd;
    ngx_err_t   err;
    ngx_str_t  *path;

    path = &watch->secret->path;

    fd = ngx_open_file(path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
        return;
    }

    err = ngx_errno;

    if (err != NGX_EACCES) {
        return;
    }

    watch->closed = 1;

    ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_NOTICE), watch->log,
                  err, "worker processes may not read key file \"%V\", "
                  "a changed Secret Key needs a reload", path);
}


static void
ngx_http_segments_watch_cleanup(void *data)
{
    ngx_http_segments_watch_t *watch = data;

    if (watch->timer.timer_set) {
        ngx_del_timer(&watch->timer);
    }
}


static void
ngx_http_segments_watch_handler(ngx_event_t *ev)
{
    ngx_http_segments_watch_t *watch = ev->data;

    ngx_http_segments_sight_t  sight;

    ngx_http_segments_look(&watch->secret->path, &sight);

    if (!ngx_http_segments_same_sight(&sight, &watch->seen)) {
        ngx_http_segments_see(watch, &sight);

    } else if (watch->unread) {
        ngx_http_segments_take_up(watch);
    }

    ngx_add_timer(ev, NGX_HTTP_SEGMENTS_LOOK);
}


static void
ngx_http_segments_see(ngx_http_segments_watch_t *watch,
    ngx_http_segments_sight_t *sight)
{
    watch->seen = *sight;
    watch->unread = 1;
    watch->told = 0;
}


static void
ngx_http_segments_take_up(ngx_http_segments_watch_t *watch)
{
    ngx_http_segments_sight_t     sight;
    ngx_http_segments_key_file_t  file;

    if (watch->seen.err) {
        ngx_http_segments_not_opened(watch, ngx_file_info_n, watch->seen.err);
        return;
    }

    if (!S_ISREG(watch->seen.mode)) {
        watch->unread = 0;
        ngx_http_segments_refuse_file(watch, "is not a regular file");
        return;
    }

    if (ngx_http_segments_read_key_file(&watch->secret->path, &file,
                                        watch->log)
        != NGX_OK)
    {
        ngx_http_segments_not_opened(watch, file.failed, file.err);
        return;
    }

    /* what was read is what had been there for an interval, or is none */

    ngx_http_segments_describe(&sight, &file.info);

    if (ngx_http_segments_same_sight(&sight, &watch->seen)) {
        watch->unread = 0;
        watch->closed = 0;

        ngx_http_segments_judge_file(watch, &file);

    } else {
        ngx_http_segments_see(watch, &sight);
    }

    ngx_http_segments_clear_key_file(&file);
}


static void
ngx_http_segments_judge_file(ngx_http_segments_watch_t *watch,
    ngx_http_segments_key_file_t *file)
{
    ngx_str_t                    key;
    const char                  *wrong;
    sg_environment_e             environment;
    ngx_http_segments_secret_t  *secret;

    secret = watch->secret;

    wrong = ngx_http_segments_parse_key_file(file, &key, &environment);

    if (wrong) {
        ngx_http_segments_refuse_file(watch, wrong);
        return;
    }

    if (environment != secret->environment) {
        ngx_http_segments_refuse_file(watch, "has a Secret Key of the other "
                                      "environment, which needs a reload");
        return;
    }

    ngx_http_segments_mark(watch, 0);

    if (ngx_http_segments_same_key(secret->key, &key)) {
        return;
    }

    ngx_http_segments_change_key(watch, &key);
}


static void
ngx_http_segments_change_key(ngx_http_segments_watch_t *watch,
    ngx_str_t *text)
{
    ngx_http_segments_key_t     *key;
    ngx_http_segments_secret_t  *secret;

    key = ngx_http_segments_create_key(text, watch->log);
    if (key == NULL) {
        watch->unread = 1;
        return;
    }

    secret = watch->secret;

    ngx_http_segments_drop_key(secret->previous);

    secret->previous = secret->key;
    secret->key = key;

    ngx_http_segments_tell_keys(secret);

    ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_NOTICE), watch->log, 0,
                  "key file \"%V\" has a new Secret Key, "
                  "which new requests are sent with", &secret->path);
}


/* tried again, since not everything that helps can be seen */

static void
ngx_http_segments_not_opened(ngx_http_segments_watch_t *watch,
    const char *failed, ngx_err_t err)
{
    if (err == NGX_EACCES && watch->closed) {
        watch->unread = 0;
        return;
    }

    ngx_http_segments_mark(watch, 1);

    if (!watch->told) {
        ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_ERR), watch->log,
                      err, "%s key file \"%V\" failed, the Secret Key at hand "
                      "stays", failed, &watch->secret->path);
    }

    watch->told = 1;
}


static void
ngx_http_segments_refuse_file(ngx_http_segments_watch_t *watch,
    const char *wrong)
{
    ngx_http_segments_mark(watch, 1);

    ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_ERR), watch->log, 0,
                  "key file \"%V\" %s, the Secret Key at hand stays",
                  &watch->secret->path, wrong);
}


static void
ngx_http_segments_mark(ngx_http_segments_watch_t *watch, ngx_uint_t refused)
{
    if (watch->refused == refused) {
        return;
    }

    ngx_http_segments_refused_files += refused ? 1 : -1;
    watch->refused = refused;

    ngx_http_segments_set_gauge(ngx_http_segments_gauge_refused,
                                ngx_http_segments_refused_files);
}


/* all workers see the same: one of them says it aloud */

static ngx_uint_t
ngx_http_segments_watch_level(ngx_uint_t level)
{
    return (ngx_worker == 0) ? level : NGX_LOG_INFO;
}
