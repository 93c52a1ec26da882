
/*
 * The pages of the module's own.
 */

#ifndef _NGX_HTTP_SEGMENTS_PAGE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the directive, and the content handler that it sets */
char *ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_segments_metrics_handler(ngx_http_request_t *r);

/* the directive */
char *ngx_http_segments_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_SEGMENTS_PAGE_H_INCLUDED_ */
