
/*
 * The order of filters.
 */

#ifndef _NGX_HTTP_SEGMENTS_ORDER_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ORDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* warns of modules whose filters see an answer before ours do */
void ngx_http_segments_check_order(ngx_conf_t *cf);


#endif /* _NGX_HTTP_SEGMENTS_ORDER_H_INCLUDED_ */
