
/*
 * The Secret Key never reaches a client, even if the upstream sends it back:
 * in a body it is overwritten, wherever the buffers' borders fall.
 *
 * Knuth, Morris and Pratt's automaton reads the body once.  Bytes at the end
 * of a buffer that may be the beginning of the key are withheld; what they
 * are is known from the key itself, so only their number is kept.
 */


#include "ngx_http_segments_module.h"


static size_t ngx_http_segments_redact_scan(ngx_http_segments_secret_t *secret,
    size_t matched, u_char *p, u_char *last, u_char **end);
static ngx_int_t ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_secret_t *secret,
    ngx_buf_t *b, ngx_chain_t ***ll);
static ngx_int_t ngx_http_segments_redact_copy(ngx_http_request_t *r,
    ngx_chain_t ***ll, u_char *data, size_t len);


/* table[n]: the longest proper prefix of key[0..n] that is its suffix, too */

void
ngx_http_segments_redact_init(ngx_http_segments_secret_t *secret,
    u_short *table)
{
    size_t      i, n;
    ngx_str_t  *key;

    key = &secret->key;
    table[0] = 0;
    n = 0;

    for (i = 1; i < key->len; i++) {

        while (n && key->data[i] != key->data[n]) {
            n = table[n - 1];
        }

        if (key->data[i] == key->data[n]) {
            n++;
        }

        table[i] = n;
    }

    secret->table = table;
}


/* "matched" bytes of the key end before p; returns how many do at *end */

static size_t
ngx_http_segments_redact_scan(ngx_http_segments_secret_t *secret,
    size_t matched, u_char *p, u_char *last, u_char **end)
{
    ngx_str_t  *key;

    key = &secret->key;

    while (p < last) {

        if (matched == 0) {
            p = memchr(p, key->data[0], last - p);
            if (p == NULL) {
                break;
            }
        }

        while (matched && *p != key->data[matched]) {
            matched = secret->table[matched - 1];
        }

        matched += (*p++ == key->data[matched]);

        if (matched == key->len) {
            *end = p;
            return matched;
        }
    }

    *end = last;

    return matched;
}


ngx_uint_t
ngx_http_segments_redact(ngx_http_segments_secret_t *secret, ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   found;

    p = text->data;
    last = text->data + text->len;
    found = 0;

    while (p < last
           && ngx_http_segments_redact_scan(secret, 0, p, last, &p)
              == secret->key.len)
    {
        ngx_memset(p - secret->key.len, '*', secret->key.len);
        found = 1;
    }

    return found;
}


ngx_int_t
ngx_http_segments_redact_chain(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in, ngx_chain_t **out)
{
    ngx_chain_t                   **ll;
    ngx_http_segments_loc_conf_t   *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    *out = NULL;
    ll = out;

    for ( /* void */ ; in; in = in->next) {
        if (ngx_http_segments_redact_buf(r, ctx, slcf->secret, in->buf, &ll)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_http_segments_secret_t *secret,
    ngx_buf_t *b, ngx_chain_t ***ll)
{
    size_t   held, len, before, masked;
    u_char  *p;

    held = ctx->withheld;
    len = ngx_buf_in_memory(b) ? (size_t) (b->last - b->pos) : 0;
    masked = 0;
    p = b->pos;

    while (len && p < b->last) {

        ctx->withheld = ngx_http_segments_redact_scan(secret, ctx->withheld, p,
                                                      b->last, &p);

        if (ctx->withheld == secret->key.len) {
            before = secret->key.len - ngx_min(secret->key.len,
                                               (size_t) (p - b->pos));
            masked = ngx_max(masked, before);

            ngx_memset(p - (secret->key.len - before), '*',
                       secret->key.len - before);

            ctx->withheld = 0;

            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "upstream sent the Secret Key back in a body, "
                          "where it is masked");
        }
    }

    if (b->last_buf) {
        ctx->withheld = 0;
    }

    /* of what was withheld before, all leaves that does not still match */

    held -= (ctx->withheld > len) ? ctx->withheld - len : 0;

    if (ngx_http_segments_redact_copy(r, ll, secret->key.data, held - masked)
        != NGX_OK
        || ngx_http_segments_redact_copy(r, ll, NULL, masked) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (len) {
        b->last -= ngx_min(ctx->withheld, len);

        if (b->last == b->pos && !b->last_buf) {
            return NGX_OK;
        }
    }

    return ngx_http_segments_append(r, ll, b);
}


static ngx_int_t
ngx_http_segments_redact_copy(ngx_http_request_t *r, ngx_chain_t ***ll,
    u_char *data, size_t len)
{
    ngx_buf_t  *b;

    if (len == 0) {
        return NGX_OK;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (data) {
        b->last = ngx_cpymem(b->last, data, len);

    } else {
        ngx_memset(b->last, '*', len);
        b->last += len;
    }

    return ngx_http_segments_append(r, ll, b);
}
