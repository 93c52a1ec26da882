
/*
 * A client that leaves.
 */

#ifndef _NGX_HTTP_SEGMENTS_CLIENT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* a request waits: from now on the client's leaving ends it */
void ngx_http_segments_test_client(ngx_http_request_t *r);

/* before the first wait: the client may have left behind its request already;
   NGX_ERROR when nginx cannot be told to look */
ngx_int_t ngx_http_segments_watch_client(ngx_http_request_t *r);

/* a request is about to be sent: from now on the client's leaving ends it no
   more, until its answer leaves */
void ngx_http_segments_outlive_client(ngx_http_request_t *r);


#endif /* _NGX_HTTP_SEGMENTS_CLIENT_H_INCLUDED_ */
