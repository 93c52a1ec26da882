
/*
 * The client's request, while the upstream's stands in its place.
 */

#ifndef _NGX_HTTP_SEGMENTS_LEND_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LEND_H_INCLUDED_


#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"


/* the client's, kept by whoever calls proxy_pass */
struct ngx_http_segments_lent_s {
    ngx_list_t        headers;
    ngx_str_t         unparsed_uri;
    unsigned          valid_unparsed_uri:1;
};


/* sees to it that proxy_pass has the upstream's request for as long as it
   copies that, and no longer; for a guarded location's configuration */
ngx_int_t ngx_http_segments_lend_init(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);

/* the upstream's takes its place, until the call of proxy_pass has returned
   and ngx_http_segments_take_back() was called; "lent" stays so long */
void ngx_http_segments_lend(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_lent_t *lent,
    ngx_list_t *headers, ngx_str_t *path);

/* legal when it was done already */
void ngx_http_segments_take_back(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx);


#endif /* _NGX_HTTP_SEGMENTS_LEND_H_INCLUDED_ */
