
/*
 * The directive segments_zone, and what is counted with it.
 */

#ifndef _NGX_HTTP_SEGMENTS_ZONE_DIRECTIVE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ZONE_DIRECTIVE_H_INCLUDED_


#include "life/ngx_http_segments_conf.h"


char *ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* where there is a zone, the location at hand has a meter, with its limits */
ngx_int_t ngx_http_segments_count_location(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf);


#endif /* _NGX_HTTP_SEGMENTS_ZONE_DIRECTIVE_H_INCLUDED_ */
