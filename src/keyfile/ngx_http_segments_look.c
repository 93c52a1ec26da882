
/*
 * What one sees of a file without reading it.
 */


#include "keyfile/ngx_http_segments_look.h"


void
ngx_http_segments_look(ngx_str_t *path, ngx_http_segments_sight_t *sight)
{
    ngx_file_info_t  info;

    ngx_memzero(sight, sizeof(ngx_http_segments_sight_t));

    if (ngx_file_info(path->data, &info) == NGX_FILE_ERROR) {
        sight->err = ngx_errno;
        return;
    }

    ngx_http_segments_describe(sight, &info);
}


void
ngx_http_segments_describe(ngx_http_segments_sight_t *sight,
    ngx_file_info_t *info)
{
    sight->err = 0;
    sight->mode = info->st_mode;
    sight->device = info->st_dev;
    sight->inode = info->st_ino;
    sight->size = info->st_size;
    sight->mtime = info->st_mtim;
    sight->ctime = info->st_ctim;
}


ngx_uint_t
ngx_http_segments_same_sight(ngx_http_segments_sight_t *one,
    ngx_http_segments_sight_t *two)
{
    return one->err == two->err
           && one->mode == two->mode
           && one->device == two->device
           && one->inode == two->inode
           && one->size == two->size
           && one->mtime.tv_sec == two->mtime.tv_sec
           && one->mtime.tv_nsec == two->mtime.tv_nsec
           && one->ctime.tv_sec == two->ctime.tv_sec
           && one->ctime.tv_nsec == two->ctime.tv_nsec;
}


/* whether a worker that was there may have seen it for an interval */

ngx_uint_t
ngx_http_segments_unchanged(ngx_http_segments_sight_t *sight)
{
    int64_t      age;
    ngx_time_t  *now;

    now = ngx_timeofday();

    age = ((int64_t) now->sec - sight->ctime.tv_sec) * 1000
          + (int64_t) now->msec - sight->ctime.tv_nsec / 1000000;

    return age >= NGX_HTTP_SEGMENTS_LOOK;
}
