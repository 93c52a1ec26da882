
/*
 * Chains of an answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_CHAIN_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CHAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* adds a buffer behind the link whose "next" *last points to, and moves it */
ngx_int_t ngx_http_segments_append(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_buf_t *b);

/* marks a buffer as sent */
void ngx_http_segments_consume(ngx_buf_t *b);


#endif /* _NGX_HTTP_SEGMENTS_CHAIN_H_INCLUDED_ */
