
/*
 * A key file: what is read from it, and how it is watched.
 */

#ifndef _NGX_HTTP_SEGMENTS_SECRET_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SECRET_H_INCLUDED_


#include "life/ngx_http_segments_module.h"


/* a key is some dozens of bytes; what is larger is another file */
#define NGX_HTTP_SEGMENTS_SECRET_MAX  4096


/* a file that was read, or why not */
typedef struct {
    const char        *failed;          /* a system call, or NULL */
    ngx_err_t          err;             /* where it failed */
    ngx_file_info_t    info;            /* behind the last byte read */
    size_t             size;
    u_char             data[NGX_HTTP_SEGMENTS_SECRET_MAX];
} ngx_http_segments_key_file_t;


/* NGX_ERROR where file->failed; clear it afterwards */
ngx_int_t ngx_http_segments_read_key_file(ngx_str_t *path,
    ngx_http_segments_key_file_t *file, ngx_log_t *log);
void ngx_http_segments_clear_key_file(ngx_http_segments_key_file_t *file);

/*
 * "key" points into the file.  NULL, or what is wrong with the file: words that
 * follow its name.
 */
const char *ngx_http_segments_parse_key_file(
    ngx_http_segments_key_file_t *file, ngx_str_t *key,
    sg_environment_e *environment);

/* whether it is that of the text */
ngx_uint_t ngx_http_segments_same_key(ngx_http_segments_key_t *key,
    ngx_str_t *text);

/*
 * Of a worker that has taken up another key: tells it to the master process,
 * which would not know it when a reload brings the next one.
 */
void ngx_http_segments_tell_keys(ngx_http_segments_secret_t *secret);

/* with one user; NULL when memory failed */
ngx_http_segments_key_t *ngx_http_segments_create_key(ngx_str_t *text,
    ngx_log_t *log);


#endif /* _NGX_HTTP_SEGMENTS_SECRET_H_INCLUDED_ */
