
/*
 * The names of a create's key: in Redis, and upstream.
 */


#include "request/ngx_http_segments_name.h"
#include "contract/sg_idempotency_key.h"
#include "contract/sg_record.h"
#include "message/ngx_http_segments_text.h"


ngx_int_t
ngx_http_segments_set_names(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_loc_conf_t *slcf)
{
    u_char    *p;
    sg_str_t   prefix, scope, key;
    sg_buf_t   name;
    ngx_str_t  value;

    if (ngx_http_complex_value(r, slcf->idempotency.scope, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    prefix = ngx_http_segments_text(&slcf->store.prefix);
    scope = ngx_http_segments_text(&value);
    key = ngx_http_segments_text(&ctx->key);

    sg_buf_init(&name);
    sg_record_name(&name, prefix, slcf->store.environment, scope,
                   ctx->route.operation, key);

    if (ngx_http_segments_take(r->pool, &ctx->record, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (slcf->idempotency.upstream_key) {

    case NGX_HTTP_SEGMENTS_KEY_ORIGINAL:
        ctx->upstream_key = ctx->key;
        break;

    case NGX_HTTP_SEGMENTS_KEY_DERIVED:

        p = ngx_pnalloc(r->pool, SG_UPSTREAM_KEY_LEN);

        if (p == NULL
            || sg_upstream_key(p, scope, ctx->route.operation, key,
                               ctx->fingerprint)
               != 0)
        {
            return NGX_ERROR;
        }

        ctx->upstream_key.data = p;
        ctx->upstream_key.len = SG_UPSTREAM_KEY_LEN;
        break;
    }

    return NGX_OK;
}
