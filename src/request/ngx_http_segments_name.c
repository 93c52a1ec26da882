
/*
 * The names of a create's key: in Redis, and upstream.
 */


#include "request/ngx_http_segments_name.h"
#include "contract/sg_idempotency_key.h"
#include "contract/sg_names.h"
#include "contract/sg_record.h"
#include "message/ngx_http_segments_text.h"


static ngx_int_t ngx_http_segments_record_name(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_store_t *store,
    sg_str_t scope);
static ngx_int_t ngx_http_segments_hide_body(ngx_http_segments_ctx_t *ctx,
    const sg_names_t *names);
static ngx_int_t ngx_http_segments_derive_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, sg_str_t scope);


/* upstream's first: it is made of what may be hidden behind */

ngx_int_t
ngx_http_segments_set_names(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_loc_conf_t *slcf)
{
    sg_str_t   scope;
    ngx_str_t  value;

    if (ngx_http_complex_value(r, slcf->idempotency.scope, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    scope = ngx_http_segments_text(&value);

    switch (slcf->idempotency.upstream_key) {

    case NGX_HTTP_SEGMENTS_KEY_ORIGINAL:
        ctx->upstream_key = ctx->key;
        break;

    case NGX_HTTP_SEGMENTS_KEY_DERIVED:

        if (ngx_http_segments_derive_key(r, ctx, scope) != NGX_OK) {
            return NGX_ERROR;
        }

        break;
    }

    if (ngx_http_segments_record_name(r, ctx, &slcf->store, scope) != NGX_OK) {
        return NGX_ERROR;
    }

    return slcf->store.names
           ? ngx_http_segments_hide_body(ctx, slcf->store.names) : NGX_OK;
}


static ngx_int_t
ngx_http_segments_record_name(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_store_t *store,
    sg_str_t scope)
{
    sg_str_t       prefix, key;
    sg_buf_t       name;
    unsigned char  scope_digits[SG_NAMES_LEN], key_digits[SG_NAMES_LEN];

    prefix = ngx_http_segments_text(&store->prefix);
    key = ngx_http_segments_text(&ctx->key);

    if (store->names) {

        if (sg_names_key(key_digits, store->names, scope, key) != 0
            || sg_names_scope(scope_digits, store->names, scope) != 0)
        {
            return NGX_ERROR;
        }

        scope.data = scope_digits;
        scope.len = SG_NAMES_LEN;
        key.data = key_digits;
        key.len = SG_NAMES_LEN;
    }

    sg_buf_init(&name);
    sg_record_name(&name, prefix, store->environment, scope,
                   ctx->route.operation, key);

    return ngx_http_segments_take(r->pool, &ctx->record, &name);
}


/* in the digits that a fingerprint has */

static ngx_int_t
ngx_http_segments_hide_body(ngx_http_segments_ctx_t *ctx,
    const sg_names_t *names)
{
    sg_str_t       fingerprint;
    unsigned char  digest[SG_HMAC_LEN];

    fingerprint.data = ctx->fingerprint;
    fingerprint.len = SG_FINGERPRINT_LEN;

    if (sg_names_body(digest, names, ngx_http_segments_text(&ctx->record),
                      fingerprint)
        != 0)
    {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(ctx->fingerprint, digest, SG_HMAC_LEN);

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_derive_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, sg_str_t scope)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, SG_UPSTREAM_KEY_LEN);

    if (p == NULL
        || sg_upstream_key(p, scope, ctx->route.operation,
                           ngx_http_segments_text(&ctx->key),
                           ctx->fingerprint)
           != 0)
    {
        return NGX_ERROR;
    }

    ctx->upstream_key.data = p;
    ctx->upstream_key.len = SG_UPSTREAM_KEY_LEN;

    return NGX_OK;
}
