
/*
 * A key file that has changed.
 */

#ifndef _NGX_HTTP_SEGMENTS_WATCH_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_WATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "keyfile/ngx_http_segments_key_file.h"


/* whose file it is */
typedef struct {
    const char    *noun;                /* what it holds, as "Secret Key" */

    /*
     * Takes up what a file has: NGX_OK, also where it is what is at hand;
     * NGX_DECLINED where it is not good, with words that follow its name;
     * NGX_ERROR when memory failed, and it is tried again.
     */
    ngx_int_t    (*take_up)(void *data, ngx_http_segments_key_file_t *file,
                            const char **wrong, ngx_log_t *log);
} ngx_http_segments_key_owner_t;


/*
 * For init_process, in processes that have requests.  "path", "owner" and
 * "data" stay as long as the cycle.
 */
ngx_int_t ngx_http_segments_watch(ngx_cycle_t *cycle, ngx_str_t *path,
    const ngx_http_segments_key_owner_t *owner, void *data);

/* of a line that each worker has: one of them says it aloud */
ngx_uint_t ngx_http_segments_watch_level(ngx_uint_t level);


#endif /* _NGX_HTTP_SEGMENTS_WATCH_H_INCLUDED_ */
