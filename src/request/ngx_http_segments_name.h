
/*
 * The names of a create's key.
 */

#ifndef _NGX_HTTP_SEGMENTS_NAME_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_NAME_H_INCLUDED_


#include "life/ngx_http_segments_life.h"
#include "life/ngx_http_segments_conf.h"


/*
 * All three return NGX_OK, or NGX_ERROR where a variable, memory or a digest
 * failed.  Sets ctx->scope and ctx->record, in r->pool.
 */
ngx_int_t ngx_http_segments_set_names(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_loc_conf_t *slcf);

/* the body's fingerprint as the record has it, when ctx->record is set */
ngx_int_t ngx_http_segments_record_body(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_store_t *store, u_char fingerprint[SG_FINGERPRINT_LEN]);

/*
 * The key that the upstream gets, in r->pool, when ctx->scope is set; empty
 * where it gets none.
 */
ngx_int_t ngx_http_segments_upstream_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *key);


#endif /* _NGX_HTTP_SEGMENTS_NAME_H_INCLUDED_ */
