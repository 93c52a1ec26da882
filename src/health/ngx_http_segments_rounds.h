
/*
 * A Redis that nobody uses.
 */

#ifndef _NGX_HTTP_SEGMENTS_ROUNDS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ROUNDS_H_INCLUDED_


#include "health/ngx_http_segments_needed.h"


/* for init_process: each that is needed, where there is a zone */
ngx_int_t ngx_http_segments_rounds_init(ngx_cycle_t *cycle,
    ngx_http_segments_main_conf_t *smcf);


#endif /* _NGX_HTTP_SEGMENTS_ROUNDS_H_INCLUDED_ */
