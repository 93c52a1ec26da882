
/*
 * The keys that stored answers are sealed with, and that names are hidden by.
 */

#ifndef _NGX_HTTP_SEGMENTS_SEALING_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SEALING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "contract/sg_names.h"
#include "contract/sg_seal.h"


/* of one file; begins with its path, and is freed with the pool of the
   configuration */
typedef struct {
    ngx_str_t                     path;
    sg_sealing_key_t              key;
    sg_sealing_key_t              before;       /* what was in the file, of this
                                                   worker; valid where
                                                   "changed" */
    unsigned                      changed:1;
} ngx_http_segments_sealing_t;


/* the same, but that it never changes */
typedef struct {
    ngx_str_t                     path;
    sg_names_t                    names;
} ngx_http_segments_hiding_t;


/* of one configuration */
typedef struct {
    ngx_array_t                   sealing;      /* ngx_http_segments_
                                                   sealing_t * */
    ngx_array_t                   hiding;       /* ngx_http_segments_
                                                   hiding_t * */
} ngx_http_segments_seal_files_t;


/* the same path gives the same one; NULL after an emerg log line */
ngx_http_segments_sealing_t *ngx_http_segments_sealing(ngx_conf_t *cf,
    ngx_http_segments_seal_files_t *files, ngx_str_t *path);
ngx_http_segments_hiding_t *ngx_http_segments_hiding(ngx_conf_t *cf,
    ngx_http_segments_seal_files_t *files, ngx_str_t *path);

/* takes up what changes in the files with sealing keys; for init_process */
ngx_int_t ngx_http_segments_sealing_init(ngx_cycle_t *cycle,
    ngx_http_segments_seal_files_t *files);


#endif /* _NGX_HTTP_SEGMENTS_SEALING_H_INCLUDED_ */
