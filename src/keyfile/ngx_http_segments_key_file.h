
/*
 * A file with a key.
 */

#ifndef _NGX_HTTP_SEGMENTS_KEY_FILE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_KEY_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a key is some dozens of bytes; what is larger is another file */
#define NGX_HTTP_SEGMENTS_KEY_FILE_MAX  4096


/* a file that was read, or why not */
typedef struct {
    const char        *failed;          /* a system call, or NULL */
    ngx_err_t          err;             /* where it failed */
    ngx_file_info_t    info;            /* behind the last byte read */
    size_t             size;
    u_char             data[NGX_HTTP_SEGMENTS_KEY_FILE_MAX];
} ngx_http_segments_key_file_t;


/* NGX_ERROR where file->failed; clear it afterwards */
ngx_int_t ngx_http_segments_read_key_file(ngx_str_t *path,
    ngx_http_segments_key_file_t *file, ngx_log_t *log);
void ngx_http_segments_clear_key_file(ngx_http_segments_key_file_t *file);


#endif /* _NGX_HTTP_SEGMENTS_KEY_FILE_H_INCLUDED_ */
