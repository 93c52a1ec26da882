
/*
 * What one sees of a file without reading it.
 */

#ifndef _NGX_HTTP_SEGMENTS_LOOK_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LOOK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* from one look to the next, milliseconds */
#define NGX_HTTP_SEGMENTS_LOOK  1000


/* what stat() says of a path */
typedef struct {
    ngx_err_t                      err;         /* 0: there is something */
    mode_t                         mode;
    dev_t                          device;
    ino_t                          inode;
    off_t                          size;
    struct timespec                mtime;
    struct timespec                ctime;       /* rights change only this */
} ngx_http_segments_sight_t;


void ngx_http_segments_look(ngx_str_t *path, ngx_http_segments_sight_t *sight);
void ngx_http_segments_describe(ngx_http_segments_sight_t *sight,
    ngx_file_info_t *info);
ngx_uint_t ngx_http_segments_same_sight(ngx_http_segments_sight_t *one,
    ngx_http_segments_sight_t *two);

/* whether a worker that was there may have seen it for an interval */
ngx_uint_t ngx_http_segments_unchanged(ngx_http_segments_sight_t *sight);


#endif /* _NGX_HTTP_SEGMENTS_LOOK_H_INCLUDED_ */
