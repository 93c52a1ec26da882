
/*
 * What cannot work in a guarded location.
 */

#ifndef _NGX_HTTP_SEGMENTS_CHECK_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CHECK_H_INCLUDED_


#include "life/ngx_http_segments_conf.h"


/* what cannot work in a guarded location, refused with a sentence */
ngx_int_t ngx_http_segments_check(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);


#endif /* _NGX_HTTP_SEGMENTS_CHECK_H_INCLUDED_ */
