
/*
 * A request is counted when it is logged, and its answer compared.
 */

#ifndef _NGX_HTTP_SEGMENTS_LOG_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* for the log phase */
ngx_int_t ngx_http_segments_count(ngx_http_request_t *r);

/* the same, in front of all others: they may show what it finds */
ngx_int_t ngx_http_segments_compare_answer(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_LOG_H_INCLUDED_ */
