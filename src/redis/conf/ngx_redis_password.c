
/*
 * The password's file.  The master process reads it first, as root perhaps;
 * whoever makes a connection reads it again, so that a new password needs no
 * reload where the workers' user may read the file.  Whatever is wrong with it,
 * the password at hand stays.
 *
 * The last one that Redis took is kept beside a newer one: the file may have
 * been changed before Redis was.
 */


#include "redis/conf/ngx_redis_password.h"


#define NGX_REDIS_PASSWORD_MAX    1024


/* on the stack; overwritten when done with */
typedef struct {
    u_char                   data[NGX_REDIS_PASSWORD_MAX + 2];
    size_t                   len;       /* of the password */
    const char              *failed;    /* a system call, or NULL */
    ngx_err_t                err;       /* its */
} ngx_redis_password_file_t;


static void ngx_redis_password_cleanup(void *data);
static ngx_int_t ngx_redis_password_read(ngx_str_t *path,
    ngx_redis_password_file_t *file, ngx_uint_t again, ngx_log_t *log);
static ngx_int_t ngx_redis_password_line(ngx_redis_password_file_t *file,
    size_t n);
static ngx_int_t ngx_redis_password_set(ngx_redis_password_t *password,
    ngx_redis_password_file_t *file, ngx_log_t *log);
static void ngx_redis_password_free(ngx_str_t *text);
static void ngx_redis_password_stays(ngx_redis_password_t *password,
    ngx_redis_password_file_t *file, ngx_log_t *log);


ngx_int_t
ngx_redis_password_init(ngx_conf_t *cf, ngx_redis_password_t *password,
    ngx_str_t *path)
{
    ngx_int_t                   rc;
    ngx_pool_cleanup_t         *cln;
    ngx_redis_password_file_t   file;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_redis_password_cleanup;
    cln->data = password;

    password->path = *path;

    rc = ngx_redis_password_read(path, &file, 0, cf->log);

    if (rc == NGX_OK) {
        rc = ngx_redis_password_set(password, &file, cf->log);

    } else if (file.failed) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, file.err, "%s \"%V\" failed",
                           file.failed, path);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Redis password file \"%V\" must hold one line of "
                           "1 to %d bytes", path, NGX_REDIS_PASSWORD_MAX);
    }

    ngx_explicit_memzero(&file, sizeof(ngx_redis_password_file_t));

    return rc;
}


static void
ngx_redis_password_cleanup(void *data)
{
    ngx_redis_password_t *password = data;

    ngx_redis_password_free(&password->text);
    ngx_redis_password_free(&password->before);
}


/* root may have it for itself */

void
ngx_redis_password_knock(ngx_redis_password_t *password, ngx_log_t *log)
{
    ngx_fd_t               fd;
    ngx_err_t              err;
    ngx_uint_t             level;

    if (password->path.len == 0) {
        return;
    }

    fd = ngx_open_file(password->path.data,
                       NGX_FILE_RDONLY|NGX_FILE_NONBLOCK, NGX_FILE_OPEN, 0);

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
        return;
    }

    err = ngx_errno;

    if (err != NGX_EACCES) {
        return;                         /* said when it is needed */
    }

    password->closed = 1;

    /* all workers see the same: one of them says it aloud */

    level = (ngx_worker == 0) ? NGX_LOG_NOTICE : NGX_LOG_INFO;

    ngx_log_error(level, log, err,
                  "worker processes may not read Redis password file \"%V\", "
                  "a changed password needs a reload", &password->path);
}


void
ngx_redis_password_refresh(ngx_redis_password_t *password, ngx_log_t *log)
{
    ngx_redis_password_file_t   file;

    if (password->path.len == 0) {
        return;
    }

    if (ngx_redis_password_read(&password->path, &file, 1, log) != NGX_OK) {
        ngx_redis_password_stays(password, &file, log);

    } else {
        password->closed = 0;
        password->told = 0;

        if ((file.len != password->text.len
             || ngx_memcmp(file.data, password->text.data, file.len) != 0)
            && ngx_redis_password_set(password, &file, log) == NGX_OK)
        {
            ngx_log_error(NGX_LOG_NOTICE, log, 0,
                          "Redis password file \"%V\" has a new password, "
                          "which new connections begin with",
                          &password->path);
        }
    }

    ngx_explicit_memzero(&file, sizeof(ngx_redis_password_file_t));
}


/* "again": while nginx runs, where nothing may be waited for */

static ngx_int_t
ngx_redis_password_read(ngx_str_t *path, ngx_redis_password_file_t *file,
    ngx_uint_t again, ngx_log_t *log)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  info;

    file->len = 0;
    file->failed = NULL;
    file->err = 0;

    fd = ngx_open_file(path->data,
                       again ? NGX_FILE_RDONLY|NGX_FILE_NONBLOCK
                             : NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        file->failed = ngx_open_file_n;
        file->err = ngx_errno;
        return NGX_ERROR;
    }

    n = 0;

    /* a pipe that has been read is empty, and no file */

    if (!again
        || (ngx_fd_info(fd, &info) != NGX_FILE_ERROR && ngx_is_file(&info)))
    {
        n = ngx_read_fd(fd, file->data, sizeof(file->data));
    }

    if (n == -1) {
        file->failed = ngx_read_fd_n;
        file->err = ngx_errno;
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", path);
    }

    return (n == -1) ? NGX_ERROR : ngx_redis_password_line(file, n);
}


static ngx_int_t
ngx_redis_password_line(ngx_redis_password_file_t *file, size_t n)
{
    if (n && file->data[n - 1] == LF) {
        n--;

        if (n && file->data[n - 1] == CR) {
            n--;
        }
    }

    if (n == 0
        || n > NGX_REDIS_PASSWORD_MAX
        || ngx_strlchr(file->data, file->data + n, LF))
    {
        return NGX_ERROR;
    }

    file->len = n;

    return NGX_OK;
}


static ngx_int_t
ngx_redis_password_set(ngx_redis_password_t *password,
    ngx_redis_password_file_t *file, ngx_log_t *log)
{
    u_char  *p;

    /* in a block of its own: a pool would keep it */

    p = ngx_alloc(file->len, log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, file->data, file->len);

    if (password->taken) {
        ngx_redis_password_free(&password->before);
        password->before = password->text;

    } else {
        ngx_redis_password_free(&password->text);
    }

    password->text.data = p;
    password->text.len = file->len;
    password->taken = 0;
    password->changes++;

    return NGX_OK;
}


static void
ngx_redis_password_free(ngx_str_t *text)
{
    if (text->data) {
        ngx_explicit_memzero(text->data, text->len);
        ngx_free(text->data);
    }

    ngx_str_null(text);
}


static void
ngx_redis_password_stays(ngx_redis_password_t *password,
    ngx_redis_password_file_t *file, ngx_log_t *log)
{
    if (password->told || (password->closed && file->err == NGX_EACCES)) {
        return;
    }

    password->told = 1;

    if (file->failed) {
        ngx_log_error(NGX_LOG_ERR, log, file->err,
                      "%s Redis password file \"%V\" failed, the password at "
                      "hand stays", file->failed, &password->path);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "Redis password file \"%V\" does not hold one line of "
                  "1 to %d bytes, the password at hand stays",
                  &password->path, NGX_REDIS_PASSWORD_MAX);
}
