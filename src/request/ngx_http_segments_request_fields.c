
/*
 * The header fields of the upstream's request: the client's, without those that
 * are between client and gateway only, and ours.
 */


#include "request/ngx_http_segments_request_fields.h"
#include "contract/sg_header_value.h"
#include "contract/sg_headers.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"
#include "request/ngx_http_segments_name.h"


#define NGX_HTTP_SEGMENTS_OURS  3       /* fields, at most */

/* a name's hash as ngx_hash_strlow() has it, four letters at a time */
#define ngx_http_segments_hash(hash, a, b, c, d)                              \
    ngx_hash(ngx_hash(ngx_hash(ngx_hash(hash, a), b), c), d)


static ngx_int_t ngx_http_segments_fields_init(ngx_http_request_t *r,
    ngx_list_t *headers);
static ngx_table_elt_t *ngx_http_segments_fields_push(ngx_list_t *headers);
static ngx_int_t ngx_http_segments_pass_fields(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_list_t *headers);
static ngx_uint_t ngx_http_segments_passes(ngx_http_segments_ctx_t *ctx,
    ngx_http_proxy_loc_conf_t *plcf, const sg_str_t *name, sg_header_e field);
static ngx_uint_t ngx_http_segments_set(ngx_http_proxy_loc_conf_t *plcf,
    const sg_str_t *name);
static ngx_uint_t ngx_http_segments_nominated(ngx_http_request_t *r,
    const sg_str_t *name);
static ngx_int_t ngx_http_segments_rename(ngx_http_request_t *r,
    ngx_table_elt_t *h, const sg_str_t *key);
static void ngx_http_segments_add_fields(ngx_list_t *headers,
    ngx_http_segments_key_t *key, const ngx_str_t *upstream_key);
static void ngx_http_segments_add_field(ngx_list_t *headers,
    const ngx_table_elt_t *field, const ngx_str_t *value);


static const ngx_table_elt_t  ngx_http_segments_accept_encoding = {
    .key = ngx_string("Accept-Encoding"),
    .lowcase_key = (u_char *) "accept-encoding",
    .hash = ngx_http_segments_hash(ngx_http_segments_hash(
            ngx_http_segments_hash(ngx_hash(ngx_hash('a', 'c'), 'c'),
                                   'e', 'p', 't', '-'),
                                   'e', 'n', 'c', 'o'),
                                   'd', 'i', 'n', 'g')
};


static const ngx_table_elt_t  ngx_http_segments_authorization = {
    .key = ngx_string("Authorization"),
    .lowcase_key = (u_char *) "authorization",
    .hash = ngx_http_segments_hash(ngx_http_segments_hash(
            ngx_http_segments_hash('a',
                                   'u', 't', 'h', 'o'),
                                   'r', 'i', 'z', 'a'),
                                   't', 'i', 'o', 'n')
};


static const ngx_table_elt_t  ngx_http_segments_idempotency_key = {
    .key = ngx_string("Idempotency-Key"),
    .lowcase_key = (u_char *) "idempotency-key",
    .hash = ngx_http_segments_hash(ngx_http_segments_hash(
            ngx_http_segments_hash(ngx_hash(ngx_hash('i', 'd'), 'e'),
                                   'm', 'p', 'o', 't'),
                                   'e', 'n', 'c', 'y'),
                                   '-', 'k', 'e', 'y')
};


ngx_int_t
ngx_http_segments_request_fields(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_list_t *headers)
{
    ngx_str_t                      upstream_key;
    ngx_http_segments_key_t       *key;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (ngx_http_segments_fields_init(r, headers) != NGX_OK
        || ngx_http_segments_pass_fields(r, ctx, headers) != NGX_OK
        || ngx_http_segments_upstream_key(r, ctx, &upstream_key) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* another key may be there when the answer comes: this one was sent */

    key = ngx_http_segments_use_key(slcf->secret->key);
    ctx->masks.mask[0].key = key;

    ngx_http_segments_add_fields(headers, key, &upstream_key);

    return NGX_OK;
}


/* for all of the client's and all of ours: it stays as long as the request */

static ngx_int_t
ngx_http_segments_fields_init(ngx_http_request_t *r, ngx_list_t *headers)
{
    ngx_uint_t        n;
    ngx_list_part_t  *part;

    n = NGX_HTTP_SEGMENTS_OURS;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        n += part->nelts;
    }

    return ngx_list_init(headers, r->pool, n, sizeof(ngx_table_elt_t));
}


/* there is room for it */

static ngx_table_elt_t *
ngx_http_segments_fields_push(ngx_list_t *headers)
{
    ngx_table_elt_t  *h;

    h = headers->part.elts;

    return &h[headers->part.nelts++];
}


static ngx_int_t
ngx_http_segments_pass_fields(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_list_t *headers)
{
    sg_str_t                       name;
    sg_header_e                     field;
    ngx_uint_t                     i, nominations;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h, *copy;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    nominations = ngx_http_segments_nominated(r, NULL);

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            name = ngx_http_segments_text(&h[i].key);
            field = sg_request_header(name);

            if (!ngx_http_segments_passes(ctx, slcf->plcf, &name, field)) {
                continue;
            }

            /* without Content-Type the body would be another message */

            if (nominations
                && field != sg_header_content_type
                && ngx_http_segments_nominated(r, &name))
            {
                continue;
            }

            copy = ngx_http_segments_fields_push(headers);
            *copy = h[i];

            if (field != sg_header_passes
                && ngx_http_segments_rename(r, copy, &name) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_segments_passes(ngx_http_segments_ctx_t *ctx,
    ngx_http_proxy_loc_conf_t *plcf, const sg_str_t *name, sg_header_e field)
{
    switch (field) {

    case sg_header_dropped:
    case sg_header_hop_by_hop:
    case sg_header_connection:
        return 0;

    case sg_header_idempotency_key:

        /* where a key is honoured, only the upstream's own goes upstream */

        return ctx->key.len == 0;

    default:
        return !ngx_http_segments_set(plcf, name);
    }
}


/*
 * Whether proxy_set_header has a field of that name: nginx itself then drops
 * the client's, but only where both are spelled with the same dashes.
 */

static ngx_uint_t
ngx_http_segments_set(ngx_http_proxy_loc_conf_t *plcf, const sg_str_t *name)
{
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    if (plcf->headers_source == NULL) {
        return 0;
    }

    header = plcf->headers_source->elts;

    for (i = 0; i < plcf->headers_source->nelts; i++) {

        if (header[i].key.len == name->len
            && sg_header_is(*name, ngx_http_segments_text(&header[i].key)))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Whether Connection nominates "name"; without one, whether there is any.  The
 * list is walked: an older nginx has no pointer to that field.
 */

static ngx_uint_t
ngx_http_segments_nominated(ngx_http_request_t *r, const sg_str_t *name)
{
    sg_str_t          value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const sg_str_t  connection = sg_string("Connection");

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != connection.len
                || !sg_header_is(ngx_http_segments_text(&h[i].key),
                                 connection))
            {
                continue;
            }

            value = ngx_http_segments_text(&h[i].value);

            if (name ? sg_connection_nominates(value, *name)
                     : !sg_connection_is_plain(value))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* one that was judged goes under the name that it was judged by */

static ngx_int_t
ngx_http_segments_rename(ngx_http_request_t *r, ngx_table_elt_t *h,
    const sg_str_t *key)
{
    sg_str_t  name;

    name = sg_request_header_name(*key);

    if (name.data == key->data) {
        return NGX_OK;
    }

    h->key.data = (u_char *) name.data;

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    return NGX_OK;
}


static void
ngx_http_segments_add_fields(ngx_list_t *headers,
    ngx_http_segments_key_t *key, const ngx_str_t *upstream_key)
{
    static const ngx_str_t  identity = ngx_string("identity");

    /* a stored answer has no coding: nginx' own gzip comes behind it */

    ngx_http_segments_add_field(headers, &ngx_http_segments_accept_encoding,
                                &identity);

    ngx_http_segments_add_field(headers, &ngx_http_segments_authorization,
                                &key->authorization);

    if (upstream_key->len) {
        ngx_http_segments_add_field(headers,
                                    &ngx_http_segments_idempotency_key,
                                    upstream_key);
    }
}


static void
ngx_http_segments_add_field(ngx_list_t *headers, const ngx_table_elt_t *field,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_http_segments_fields_push(headers);

    *h = *field;
    h->value = *value;
}
