
/*
 * Directives whose words are chosen from a few.
 */

#ifndef _NGX_HTTP_SEGMENTS_CHOICE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CHOICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* setters; "post" is an array of ngx_conf_enum_t, and of masks in the second */
char *ngx_http_segments_choice(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_segments_operations(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_SEGMENTS_CHOICE_H_INCLUDED_ */
