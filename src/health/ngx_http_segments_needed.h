
/*
 * Which Redis creates need.
 */

#ifndef _NGX_HTTP_SEGMENTS_NEEDED_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_NEEDED_H_INCLUDED_


#include "life/ngx_http_segments_conf.h"


/* one Redis, for all the locations whose creates need it */
typedef struct {
    ngx_redis_t                  *redis;
    ngx_redis_options_t           options;      /* the longest of their
                                                   time-outs */
    unsigned                      reject:1;     /* 503 without it, in one of
                                                   them at least */
} ngx_http_segments_needed_t;


/* adds the one that creates of the location at hand need, if any */
ngx_int_t ngx_http_segments_need_redis(ngx_array_t *needed,
    ngx_http_segments_loc_conf_t *slcf);


#endif /* _NGX_HTTP_SEGMENTS_NEEDED_H_INCLUDED_ */
