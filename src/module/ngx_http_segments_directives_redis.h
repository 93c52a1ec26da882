
/*
 * Directives about how Redis is used, of more than one word.
 */

#ifndef _NGX_HTTP_SEGMENTS_DIRECTIVES_REDIS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_DIRECTIVES_REDIS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


char *ngx_http_segments_redis_breaker(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_segments_redis_wait(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_SEGMENTS_DIRECTIVES_REDIS_H_INCLUDED_ */
