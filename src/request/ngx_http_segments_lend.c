
/*
 * The client's request, while the upstream's stands in its place.
 *
 * The proxy module copies the upstream's request from the client's within the
 * call of its handler.  In the same call it may be told that nobody listens at
 * the upstream's address, or even have its answer: filters run then, and other
 * modules look at the client's header fields.  So these are back as soon as
 * they were copied: what nginx asks for next is proxy_bind, which is ours in a
 * guarded location.
 */


#include "request/ngx_http_segments_lend.h"


/* a script of one operation */
typedef struct {
    ngx_http_script_code_pt       code;
    uintptr_t                     end;
} ngx_http_segments_bind_script_t;


static size_t ngx_http_segments_bind_len(ngx_http_script_engine_t *e);
static void ngx_http_segments_bind(ngx_http_script_engine_t *e);


static ngx_http_segments_bind_script_t  ngx_http_segments_bind_lengths = {
    (ngx_http_script_code_pt) (void *) ngx_http_segments_bind_len, 0
};

static ngx_http_segments_bind_script_t  ngx_http_segments_bind_values = {
    ngx_http_segments_bind, 0
};

static ngx_http_complex_value_t  ngx_http_segments_proxy_bind = {
    ngx_null_string,
    NULL,
    &ngx_http_segments_bind_lengths,
    &ngx_http_segments_bind_values,
    { 0 }
};


/* from one half of the script to the other */
static ngx_str_t  ngx_http_segments_bind_text;


ngx_int_t
ngx_http_segments_lend_init(ngx_conf_t *cf, ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_upstream_local_t  *local;

    local = ngx_pcalloc(cf->pool, sizeof(ngx_http_upstream_local_t));
    if (local == NULL) {
        return NGX_ERROR;
    }

    slcf->bind = slcf->plcf->upstream.local;

    if (slcf->bind) {
        *local = *slcf->bind;
    }

    local->value = &ngx_http_segments_proxy_bind;

    slcf->plcf->upstream.local = local;

    return NGX_OK;
}


void
ngx_http_segments_lend(ngx_http_request_t *r, ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_lent_t *lent, ngx_list_t *headers, ngx_str_t *path)
{
    lent->headers = r->headers_in.headers;
    lent->unparsed_uri = r->unparsed_uri;
    lent->valid_unparsed_uri = r->valid_unparsed_uri;

    r->headers_in.headers = *headers;
    r->unparsed_uri = *path;
    r->valid_unparsed_uri = 1;

    ctx->lent = lent;
}


void
ngx_http_segments_take_back(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_lent_t  *lent;

    lent = ctx->lent;

    if (lent == NULL) {
        return;
    }

    ctx->lent = NULL;

    r->headers_in.headers = lent->headers;
    r->unparsed_uri = lent->unparsed_uri;
    r->valid_unparsed_uri = lent->valid_unparsed_uri;
}


/* an address that is known is evaluated, too: newer nginx takes no other one
   where there is a script */

static size_t
ngx_http_segments_bind_len(ngx_http_script_engine_t *e)
{
    ngx_str_t                     *text;
    ngx_http_request_t            *r;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_upstream_local_t     *bind;
    ngx_http_segments_loc_conf_t  *slcf;

    e->ip += sizeof(uintptr_t);

    r = e->request;
    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    if (ctx) {
        ngx_http_segments_take_back(r, ctx);
    }

    text = &ngx_http_segments_bind_text;
    ngx_str_null(text);

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);
    bind = slcf->bind;

    if (bind == NULL) {
        return 0;
    }

    if (bind->value == NULL) {
        *text = bind->addr->name;

    } else if (ngx_http_complex_value(r, bind->value, text) != NGX_OK) {

        /* without memory, as what is no address, it is left to the system */

        ngx_str_null(text);
    }

    return text->len;
}


static void
ngx_http_segments_bind(ngx_http_script_engine_t *e)
{
    e->ip += sizeof(uintptr_t);

    if (ngx_http_segments_bind_text.len) {
        e->pos = ngx_cpymem(e->pos, ngx_http_segments_bind_text.data,
                            ngx_http_segments_bind_text.len);
    }
}
