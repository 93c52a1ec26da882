
/*
 * What is configured is made, inherited, and put to use.
 */

#ifndef _NGX_HTTP_SEGMENTS_CONFIGURATION_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CONFIGURATION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* of ngx_http_module_t */
void *ngx_http_segments_create_main_conf(ngx_conf_t *cf);
void *ngx_http_segments_create_srv_conf(ngx_conf_t *cf);
void *ngx_http_segments_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_segments_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


#endif /* _NGX_HTTP_SEGMENTS_CONFIGURATION_H_INCLUDED_ */
