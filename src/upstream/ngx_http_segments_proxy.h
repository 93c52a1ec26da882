
/*
 * The proxy module: how it is laid out, and what it must not be told in a
 * guarded location.
 */

#ifndef _NGX_HTTP_SEGMENTS_PROXY_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_PROXY_H_INCLUDED_


#include "upstream/ngx_http_segments_proxy_conf.h"


#define ngx_http_segments_refuse_conf(cf, ...)                                \
    (ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, __VA_ARGS__), NGX_ERROR)


/* a module's directive, or NULL */
ngx_command_t *ngx_http_segments_command(ngx_module_t *module,
    const char *name);

/* each NGX_ERROR after a sentence */

/* whether it is laid out as this module was built to believe */
ngx_int_t ngx_http_segments_check_layout(ngx_conf_t *cf);
ngx_int_t ngx_http_segments_check_proxy(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf);
ngx_int_t ngx_http_segments_check_proxy_headers(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf);


#endif /* _NGX_HTTP_SEGMENTS_PROXY_H_INCLUDED_ */
