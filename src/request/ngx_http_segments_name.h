
/*
 * The names of a create's key.
 */

#ifndef _NGX_HTTP_SEGMENTS_NAME_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_NAME_H_INCLUDED_


#include "life/ngx_http_segments_life.h"
#include "life/ngx_http_segments_conf.h"


/* sets ctx->record and ctx->upstream_key, in r->pool */
ngx_int_t ngx_http_segments_set_names(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf);


#endif /* _NGX_HTTP_SEGMENTS_NAME_H_INCLUDED_ */
