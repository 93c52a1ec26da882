
/*
 * A changed key file is taken up without a reload.
 */

#ifndef _NGX_HTTP_SEGMENTS_ROTATION_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ROTATION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* takes up what changes in the key files, of ngx_http_segments_secret_t *; for
   init_process */
ngx_int_t ngx_http_segments_rotation_init(ngx_cycle_t *cycle,
    ngx_array_t *secrets);


#endif /* _NGX_HTTP_SEGMENTS_ROTATION_H_INCLUDED_ */
