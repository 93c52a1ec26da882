
/*
 * Whom the Secret Key may reach.
 */

#ifndef _NGX_HTTP_SEGMENTS_REACH_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REACH_H_INCLUDED_


#include "upstream/ngx_http_segments_proxy_conf.h"


/* whom a proxy_pass without variables reaches; NGX_ERROR after a sentence.
   "insecure": anybody */
ngx_int_t ngx_http_segments_check_upstream(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf, ngx_uint_t insecure);

/*
 * What only a request shows: a proxy_pass with variables that evaluates to a
 * URL with a URI, or to one that would carry the Secret Key in the clear.
 */
ngx_int_t ngx_http_segments_check_url(ngx_http_request_t *r,
    ngx_http_proxy_loc_conf_t *plcf, ngx_uint_t insecure);

/* whether it is this host's own */
ngx_uint_t ngx_http_segments_local_addr(struct sockaddr *sa);


#endif /* _NGX_HTTP_SEGMENTS_REACH_H_INCLUDED_ */
