
/*
 * Text between nginx and the contract.
 */


#include "message/ngx_http_segments_text.h"


ngx_int_t
ngx_http_segments_take(ngx_pool_t *pool, ngx_str_t *dst, sg_buf_t *src)
{
    dst->len = src->len;
    dst->data = src->failed ? NULL : ngx_pnalloc(pool, ngx_max(src->len, 1));

    if (dst->data && src->len) {
        ngx_memcpy(dst->data, src->data, src->len);
    }

    sg_buf_free(src);

    return dst->data ? NGX_OK : NGX_ERROR;
}
