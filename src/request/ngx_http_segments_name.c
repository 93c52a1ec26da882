
/*
 * The names of a create's key: in Redis, and upstream.
 */


#include "request/ngx_http_segments_name.h"
#include "contract/sg_idempotency_key.h"
#include "contract/sg_names.h"
#include "contract/sg_record.h"
#include "message/ngx_http_segments_text.h"


static ngx_int_t ngx_http_segments_record_name(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_store_t *store);
static ngx_int_t ngx_http_segments_derive_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *key);


ngx_int_t
ngx_http_segments_set_names(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_loc_conf_t *slcf)
{
    if (ngx_http_complex_value(r, slcf->idempotency.scope, &ctx->scope)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_segments_record_name(r, ctx, &slcf->store);
}


static ngx_int_t
ngx_http_segments_record_name(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_store_t *store)
{
    u_char         room[256];
    sg_str_t       prefix, scope, key;
    sg_buf_t       name;
    unsigned char  scope_digits[SG_NAMES_LEN], key_digits[SG_NAMES_LEN];

    prefix = ngx_http_segments_text(&store->prefix);
    scope = ngx_http_segments_text(&ctx->scope);
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

    sg_buf_init_room(&name, room, sizeof(room));
    sg_record_name(&name, prefix, store->environment, scope,
                   ctx->route.operation, key);

    return ngx_http_segments_take(r->pool, &ctx->record, &name);
}


ngx_int_t
ngx_http_segments_record_body(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_store_t *store, u_char fingerprint[SG_FINGERPRINT_LEN])
{
    sg_str_t  body;

    if (store->names == NULL) {
        ngx_memcpy(fingerprint, ctx->fingerprint, SG_FINGERPRINT_LEN);
        return NGX_OK;
    }

    body.data = ctx->fingerprint;
    body.len = SG_FINGERPRINT_LEN;

    return sg_names_body(fingerprint, store->names,
                         ngx_http_segments_text(&ctx->record), body)
           == 0 ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_segments_upstream_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *key)
{
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    ngx_str_null(key);

    if (ctx->key.len == 0) {
        return NGX_OK;
    }

    switch (slcf->idempotency.upstream_key) {

    case NGX_HTTP_SEGMENTS_KEY_ORIGINAL:
        *key = ctx->key;
        return NGX_OK;

    case NGX_HTTP_SEGMENTS_KEY_DERIVED:
        return ngx_http_segments_derive_key(r, ctx, key);

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_segments_derive_key(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_str_t *key)
{
    key->data = ngx_pnalloc(r->pool, SG_UPSTREAM_KEY_LEN);
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    key->len = SG_UPSTREAM_KEY_LEN;

    return sg_upstream_key(key->data, ngx_http_segments_text(&ctx->scope),
                           ctx->route.operation,
                           ngx_http_segments_text(&ctx->key),
                           ctx->fingerprint)
           == 0 ? NGX_OK : NGX_ERROR;
}
