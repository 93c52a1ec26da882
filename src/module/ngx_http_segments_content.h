
/*
 * What answers in a guarded location.
 */

#ifndef _NGX_HTTP_SEGMENTS_CONTENT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CONTENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* refuses whatever else than proxy_pass would answer; NGX_OK or NGX_ERROR */
ngx_int_t ngx_http_segments_check_content(ngx_conf_t *cf);

/* the same of what has come since; for postconfiguration */
ngx_int_t ngx_http_segments_check_handlers(ngx_conf_t *cf);


#endif /* _NGX_HTTP_SEGMENTS_CONTENT_H_INCLUDED_ */
