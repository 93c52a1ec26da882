
/*
 * Text between nginx and the contract.
 */

#ifndef _NGX_HTTP_SEGMENTS_TEXT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "contract/sg_buf.h"


/* the same bytes */
static ngx_inline sg_str_t
ngx_http_segments_text(const ngx_str_t *text)
{
    sg_str_t  same;

    same.data = text->data;
    same.len = text->len;

    return same;
}


/* whether both have the same bytes */
static ngx_inline ngx_uint_t
ngx_http_segments_same_text(const ngx_str_t *one, const ngx_str_t *two)
{
    return one->len == two->len
           && (one->len == 0
               || ngx_memcmp(one->data, two->data, one->len) == 0);
}


/* moves what a buffer holds into the pool and frees the buffer */
ngx_int_t ngx_http_segments_take(ngx_pool_t *pool, ngx_str_t *dst,
    sg_buf_t *src);


#endif /* _NGX_HTTP_SEGMENTS_TEXT_H_INCLUDED_ */
