
/*
 * What is known of a request: from when it is there until its pool goes.
 */


#include "life/ngx_http_segments_life.h"
#include "life/ngx_http_segments_conf.h"
#include "upstream/ngx_http_segments_sent.h"


static void ngx_http_segments_cleanup(void *data);
static void ngx_http_segments_free_ctx(void *data);


ngx_http_segments_ctx_t *
ngx_http_segments_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    /* redirects and filter finalization zero the array of contexts */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_segments_free_ctx) {
            ctx = cln->data;

            /* a subrequest shares its parent's pool */

            return ctx->request == r ? ctx : NULL;
        }
    }

    return NULL;
}


ngx_http_segments_ctx_t *
ngx_http_segments_need_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t            *pcln;
    ngx_http_cleanup_t            *cln;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_loc_conf_t  *slcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_ctx_t));

    /* the first ends the request's wait, the second its memory */

    cln = ngx_http_cleanup_add(r, 0);
    pcln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL || pcln == NULL) {
        return NULL;
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    ctx->request = r;
    ctx->meter = slcf->meter;
    ctx->last_out = &ctx->out;

    cln->handler = ngx_http_segments_cleanup;
    cln->data = ctx;
    pcln->handler = ngx_http_segments_free_ctx;
    pcln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_segments_module);

    return ctx;
}


/* runs behind the upstream's own cleanup: what was sent is known */

static void
ngx_http_segments_cleanup(void *data)
{
    ngx_http_segments_ctx_t *ctx = data;

    ngx_uint_t  sent;

    ngx_http_segments_wait_end(ctx->waiter);
    ngx_http_segments_limits_cancel(ctx->limits);

    if (ctx->claim) {
        sent = ngx_http_segments_sent(ctx->request, ctx->answered);

        ngx_http_segments_claim_detach(ctx->claim,
                                       sent ? ngx_http_segments_unknown
                                            : ngx_http_segments_give_back);
    }
}


static void
ngx_http_segments_free_ctx(void *data)
{
    ngx_http_segments_ctx_t *ctx = data;

    ngx_uint_t  i;

    if (ctx->claim) {
        ngx_http_segments_claim_free(ctx->claim);
    }

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        ngx_http_segments_drop_key(ctx->masks.mask[i].key);
    }

    sg_buf_free(&ctx->envelope);
}
