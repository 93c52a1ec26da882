
/*
 * The directive segments_zone.
 */

#ifndef _NGX_HTTP_SEGMENTS_ZONE_DIRECTIVE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_ZONE_DIRECTIVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


char *ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_SEGMENTS_ZONE_DIRECTIVE_H_INCLUDED_ */
