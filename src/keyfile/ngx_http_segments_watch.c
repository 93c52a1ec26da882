
/*
 * A changed key file is taken up without a reload, by each worker for itself:
 * it looks at the file once in an interval, and reads it when it has changed
 * and then stayed as it was for an interval, so that one that is being written
 * is left alone.  Whatever is wrong with it, the key at hand stays.
 */


#include "keyfile/ngx_http_segments_watch.h"
#include "keyfile/ngx_http_segments_look.h"
#include "metrics/ngx_http_segments_gauge.h"


/* of one worker */
typedef struct {
    ngx_event_t                    timer;
    ngx_str_t                     *path;
    const ngx_http_segments_key_owner_t  *owner;
    void                          *data;        /* the owner's */
    ngx_log_t                     *log;
    ngx_http_segments_sight_t      seen;
    unsigned                       closed:1;    /* to us, from the start */
    unsigned                       unread:1;    /* what was seen */
    unsigned                       told:1;      /* that it cannot be read */
    unsigned                       refused:1;   /* counted as such */
} ngx_http_segments_watch_t;


static void ngx_http_segments_knock(ngx_http_segments_watch_t *watch);
static void ngx_http_segments_watch_cleanup(void *data);
static void ngx_http_segments_watch_handler(ngx_event_t *ev);
static void ngx_http_segments_see(ngx_http_segments_watch_t *watch,
    ngx_http_segments_sight_t *sight);
static void ngx_http_segments_take_up(ngx_http_segments_watch_t *watch);
static void ngx_http_segments_judge_file(ngx_http_segments_watch_t *watch,
    ngx_http_segments_key_file_t *file);
static void ngx_http_segments_not_opened(ngx_http_segments_watch_t *watch,
    const char *failed, ngx_err_t err);
static void ngx_http_segments_mark(ngx_http_segments_watch_t *watch,
    ngx_uint_t refused);
static void ngx_http_segments_refuse_file(ngx_http_segments_watch_t *watch,
    const char *wrong);


/* of this worker: files that are not used as they are */
static ngx_uint_t  ngx_http_segments_refused_files;


/*
 * The file may have changed since the configuration was read: a worker that
 * takes a dead one's place starts with the first key, and has to take up at
 * once what the other workers have.
 */

ngx_int_t
ngx_http_segments_watch(ngx_cycle_t *cycle, ngx_str_t *path,
    const ngx_http_segments_key_owner_t *owner, void *data)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_segments_sight_t   sight;
    ngx_http_segments_watch_t  *watch;

    watch = ngx_pcalloc(cycle->pool, sizeof(ngx_http_segments_watch_t));
    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (watch == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    /* before that of the owner, which is older */

    cln->handler = ngx_http_segments_watch_cleanup;
    cln->data = watch;

    watch->path = path;
    watch->owner = owner;
    watch->data = data;
    watch->log = cycle->log;

    watch->timer.handler = ngx_http_segments_watch_handler;
    watch->timer.data = watch;
    watch->timer.log = cycle->log;
    watch->timer.cancelable = 1;

    ngx_http_segments_knock(watch);

    ngx_http_segments_look(path, &sight);
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
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(watch->path->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
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
                  "a changed %s needs a reload", watch->path,
                  watch->owner->noun);
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

    ngx_http_segments_look(watch->path, &sight);

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

    if (ngx_http_segments_read_key_file(watch->path, &file,
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
    const char  *wrong;

    switch (watch->owner->take_up(watch->data, file, &wrong, watch->log)) {

    case NGX_OK:
        ngx_http_segments_mark(watch, 0);
        break;

    case NGX_DECLINED:
        ngx_http_segments_refuse_file(watch, wrong);
        break;

    default: /* NGX_ERROR */
        watch->unread = 1;
    }
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
                      err, "%s key file \"%V\" failed, the %s at hand stays",
                      failed, watch->path, watch->owner->noun);
    }

    watch->told = 1;
}


static void
ngx_http_segments_refuse_file(ngx_http_segments_watch_t *watch,
    const char *wrong)
{
    ngx_http_segments_mark(watch, 1);

    ngx_log_error(ngx_http_segments_watch_level(NGX_LOG_ERR), watch->log, 0,
                  "key file \"%V\" %s, the %s at hand stays",
                  watch->path, wrong, watch->owner->noun);
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


/* all workers see the same */

ngx_uint_t
ngx_http_segments_watch_level(ngx_uint_t level)
{
    return (ngx_worker == 0) ? level : NGX_LOG_INFO;
}
