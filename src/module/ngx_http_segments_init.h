
/*
 * The module's hooks into nginx' life; each returns NGX_OK, or NGX_ERROR, which
 * is logged.
 */

#ifndef _NGX_HTTP_SEGMENTS_INIT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_INIT_H_INCLUDED_


#include "life/ngx_http_segments_conf.h"


/* when the http block was read */
ngx_int_t ngx_http_segments_init(ngx_conf_t *cf);

/* when the new cycle's logs are open, in the master */
ngx_int_t ngx_http_segments_init_module(ngx_cycle_t *cycle);

/* of each process: what it has of its own, and that freed */
ngx_int_t ngx_http_segments_init_process(ngx_cycle_t *cycle);
void ngx_http_segments_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_SEGMENTS_INIT_H_INCLUDED_ */
