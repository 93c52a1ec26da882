
/*
 * Directives whose words are more than a number, a time or one of a few.
 */

#ifndef _NGX_HTTP_SEGMENTS_DIRECTIVES_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_DIRECTIVES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* setters */
char *ngx_http_segments_gateway(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_segments_redis(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_segments_idempotency_wait(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_segments_statuses(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_segments_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_segments_contract(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* of ngx_conf_post_t */
char *ngx_http_segments_check_prefix(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_segments_check_time(ngx_conf_t *cf, void *post, void *data);


#endif /* _NGX_HTTP_SEGMENTS_DIRECTIVES_H_INCLUDED_ */
