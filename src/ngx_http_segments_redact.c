
/*
 * The Secret Key never reaches a client, even if the upstream sends it back:
 * in a body it is overwritten, wherever the buffers' borders fall.
 *
 * Knuth, Morris and Pratt's automaton reads the body once.  Bytes at the end
 * of a buffer that may be the beginning of the key are withheld; what they
 * are is known from the key itself, so only their number is kept.
 */


#include "ngx_http_segments_module.h"


static size_t ngx_http_segments_redact_scan(ngx_http_segments_key_t *key,
    size_t matched, u_char *p, u_char *last, u_char **end);
static ngx_uint_t ngx_http_segments_redact_text(ngx_http_segments_key_t *key,
    ngx_str_t *text);
static ngx_int_t ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, ngx_chain_t ***ll);
static ngx_int_t ngx_http_segments_redact_copy(ngx_http_request_t *r,
    ngx_chain_t ***ll, u_char *data, size_t len);


/* table[n]: the longest proper prefix of key[0..n] that is its suffix, too */

void
ngx_http_segments_redact_init(ngx_http_segments_key_t *key)
{
    size_t   i, n, len;
    u_char  *p;

    p = key->key.data;
    len = key->key.len;

    key->table[0] = 0;
    n = 0;

    for (i = 1; i < len; i++) {

        while (n && p[i] != p[n]) {
            n = key->table[n - 1];
        }

        if (p[i] == p[n]) {
            n++;
        }

        key->table[i] = n;
    }
}


/*
 * An upstream may repeat what another request told it: the answer to a retry
 * can be the first one's, which was sent with the key before.
 */

void
ngx_http_segments_redact_begin(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    ngx_http_segments_key_t       *other;
    ngx_http_segments_secret_t    *secret;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);
    secret = slcf->secret;

    other = secret->key;

    if (other == ctx->masks[0].key) {
        other = secret->previous;
    }

    if (other && ctx->masks[1].key == NULL) {
        ctx->masks[1].key = ngx_http_segments_use_key(other);
    }
}


/* "matched" bytes of the key end before p; returns how many do at *end */

static size_t
ngx_http_segments_redact_scan(ngx_http_segments_key_t *key, size_t matched,
    u_char *p, u_char *last, u_char **end)
{
    ngx_str_t  *text;

    text = &key->key;

    while (p < last) {

        if (matched == 0) {
            p = memchr(p, text->data[0], last - p);
            if (p == NULL) {
                break;
            }
        }

        while (matched && *p != text->data[matched]) {
            matched = key->table[matched - 1];
        }

        matched += (*p++ == text->data[matched]);

        if (matched == text->len) {
            *end = p;
            return matched;
        }
    }

    *end = last;

    return matched;
}


ngx_uint_t
ngx_http_segments_redact(ngx_http_segments_ctx_t *ctx, ngx_str_t *text)
{
    ngx_uint_t  found, i;

    found = 0;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        if (ctx->masks[i].key) {
            found |= ngx_http_segments_redact_text(ctx->masks[i].key, text);
        }
    }

    return found;
}


static ngx_uint_t
ngx_http_segments_redact_text(ngx_http_segments_key_t *key, ngx_str_t *text)
{
    size_t       len;
    u_char      *p, *last;
    ngx_uint_t   found;

    p = text->data;
    last = text->data + text->len;
    len = key->key.len;
    found = 0;

    while (p < last
           && ngx_http_segments_redact_scan(key, 0, p, last, &p) == len)
    {
        ngx_memset(p - len, '*', len);
        found = 1;
    }

    return found;
}


ngx_int_t
ngx_http_segments_redact_chain(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx, ngx_chain_t *in, ngx_chain_t **out)
{
    ngx_uint_t                  i;
    ngx_chain_t               **ll;
    ngx_http_segments_mask_t   *mask;

    *out = in;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {

        mask = &ctx->masks[i];

        if (mask->key == NULL) {
            continue;
        }

        in = *out;

        *out = NULL;
        ll = out;

        for ( /* void */ ; in; in = in->next) {
            if (ngx_http_segments_redact_buf(r, mask, in->buf, &ll) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, ngx_chain_t ***ll)
{
    size_t      held, len, before, masked;
    u_char     *p;
    ngx_str_t  *key;

    key = &mask->key->key;

    held = mask->withheld;
    len = ngx_buf_in_memory(b) ? (size_t) (b->last - b->pos) : 0;
    masked = 0;
    p = b->pos;

    while (len && p < b->last) {

        mask->withheld = ngx_http_segments_redact_scan(mask->key,
                                                       mask->withheld, p,
                                                       b->last, &p);

        if (mask->withheld == key->len) {
            before = key->len - ngx_min(key->len, (size_t) (p - b->pos));
            masked = ngx_max(masked, before);

            ngx_memset(p - (key->len - before), '*', key->len - before);

            mask->withheld = 0;

            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "upstream sent the Secret Key back in a body, "
                          "where it is masked");
        }
    }

    if (b->last_buf) {
        mask->withheld = 0;
    }

    /* of what was withheld before, all leaves that does not still match */

    held -= (mask->withheld > len) ? mask->withheld - len : 0;

    if (ngx_http_segments_redact_copy(r, ll, key->data, held - masked)
        != NGX_OK
        || ngx_http_segments_redact_copy(r, ll, NULL, masked) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (len) {
        b->last -= ngx_min(mask->withheld, len);

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
