
/*
 * A file with a key.
 */


#include "keyfile/ngx_http_segments_key_file.h"


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

    n = ngx_read_fd(fd, file->data, NGX_HTTP_SEGMENTS_KEY_FILE_MAX);

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
