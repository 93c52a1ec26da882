
/*
 * Chains of an answer.
 */


#include "message/ngx_http_segments_chain.h"


ngx_int_t
ngx_http_segments_append(ngx_http_request_t *r, ngx_chain_t ***last,
    ngx_buf_t *b)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    **last = cl;
    *last = &cl->next;

    return NGX_OK;
}


void
ngx_http_segments_consume(ngx_buf_t *b)
{
    b->pos = b->last;
    b->file_pos = b->file_last;
}
