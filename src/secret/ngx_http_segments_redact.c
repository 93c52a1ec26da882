
/*
 * The Secret Key never reaches a client, even if the upstream sends it back:
 * it is overwritten, wherever the buffers' borders fall.
 *
 * Knuth, Morris and Pratt's automaton reads the bytes once.  What a key may
 * have besides letters and digits is also written "\/" or "%2F": both are told
 * on the way to the automaton, in any mixture, since a key has neither a
 * backslash nor a percent sign.
 *
 * Bytes at the end of a buffer that may be the beginning of the key are
 * withheld until more is known.
 */


#include "life/ngx_http_segments_module.h"


static ngx_uint_t ngx_http_segments_redact_scan(ngx_http_segments_mask_t *mask,
    u_char *p, u_char *last, u_char **end);
static ngx_uint_t ngx_http_segments_redact_escape(
    ngx_http_segments_mask_t *mask, u_char ch, u_char *symbol);
static size_t ngx_http_segments_redact_length(ngx_http_segments_mask_t *mask,
    u_char *pos, u_char *last);
static u_char ngx_http_segments_redact_byte(ngx_http_segments_mask_t *mask,
    u_char *pos, u_char *last, size_t n);
static void ngx_http_segments_redact_overwrite(ngx_http_segments_mask_t *mask,
    u_char *pos, u_char *last);
static ngx_uint_t ngx_http_segments_redact_text(ngx_http_segments_key_t *key,
    ngx_str_t *text);
static ngx_int_t ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, ngx_chain_t ***ll);
static ngx_int_t ngx_http_segments_redact_withhold(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, size_t len,
    ngx_chain_t ***ll);
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
    key->plain = 1;
    n = 0;

    for (i = 1; i < len; i++) {

        if (ngx_strchr("/+=~", p[i])) {
            key->plain = 0;
        }

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


/*
 * Goes on at p with what the mask knows of the bytes before.  1: a key ends at
 * *end; 0: none does before "last".
 */

static ngx_uint_t
ngx_http_segments_redact_scan(ngx_http_segments_mask_t *mask, u_char *p,
    u_char *last, u_char **end)
{
    u_char     ch;
    ngx_str_t  *key;

    key = &mask->key->key;

    while (p < last) {

        /* a key begins with a letter, which is never looked for in disguise */

        if (mask->matched == 0) {
            p = memchr(p, key->data[0], last - p);
            if (p == NULL) {
                break;
            }
        }

        ch = *p;

        if ((mask->escape || ch == '\\' || ch == '%')
            && mask->matched && !mask->key->plain)
        {
            if (!ngx_http_segments_redact_escape(mask, ch, &ch)) {

                /* what was no escape may be followed by a key's first byte */

                if (mask->matched) {
                    p++;
                }

                continue;
            }
        }

        while (mask->matched && ch != key->data[mask->matched]) {
            mask->matched = mask->key->table[mask->matched - 1];
        }

        mask->matched += (ch == key->data[mask->matched]);
        p++;

        if (mask->matched == key->len) {
            *end = p;
            return 1;
        }
    }

    *end = last;

    return 0;
}


/* 1: an escape ends here, of *symbol; 0: it goes on, or it is none */

static ngx_uint_t
ngx_http_segments_redact_escape(ngx_http_segments_mask_t *mask, u_char ch,
    u_char *symbol)
{
    u_char  escape;

    escape = mask->escape;
    mask->escape = 0;

    switch (escape) {

    case '\0':                          /* "\" or "%" */
        mask->escape = ch;
        return 0;

    case '\\':
        *symbol = ch;

        if (ch == '/') {
            return 1;
        }

        break;

    case '%':
        if (ch == '2' || ch == '3' || ch == '7') {
            mask->escape = ch;
            return 0;
        }

        break;

    default:                            /* the first digit */

        switch (escape << 8 | ngx_tolower(ch)) {

        case '2' << 8 | 'b':
            *symbol = '+';
            return 1;

        case '2' << 8 | 'f':
            *symbol = '/';
            return 1;

        case '3' << 8 | 'd':
            *symbol = '=';
            return 1;

        case '7' << 8 | 'e':
            *symbol = '~';
            return 1;
        }
    }

    mask->matched = 0;

    return 0;
}


/*
 * How many bytes before "last" are those that matched so far.  Backwards each
 * byte tells how it was written: no escape ends with what it stands for, but
 * "\/", and what stands before a slash of the key is no backslash.
 */

static size_t
ngx_http_segments_redact_length(ngx_http_segments_mask_t *mask, u_char *pos,
    u_char *last)
{
    u_char  ch;
    size_t  len, n;

    if (mask->matched == 0) {
        return 0;
    }

    if (mask->key->plain) {
        return mask->matched;
    }

    len = (mask->escape == 0) ? 0
          : (mask->escape == '\\' || mask->escape == '%') ? 1 : 2;

    for (n = mask->matched; n; n--) {

        ch = mask->key->key.data[n - 1];

        if (ngx_http_segments_redact_byte(mask, pos, last, ++len) != ch) {
            len += 2;

        } else if (ch == '/'
                   && ngx_http_segments_redact_byte(mask, pos, last, len + 1)
                      == '\\')
        {
            len++;
        }
    }

    return len;
}


/* the byte that is "n" before "last"; in front of "pos" is what is withheld */

static u_char
ngx_http_segments_redact_byte(ngx_http_segments_mask_t *mask, u_char *pos,
    u_char *last, size_t n)
{
    size_t  len;

    len = last - pos;

    return (n <= len) ? last[-(ssize_t) n]
                      : mask->held[mask->withheld - (n - len)];
}


/* a key ends at "last" */

static void
ngx_http_segments_redact_overwrite(ngx_http_segments_mask_t *mask, u_char *pos,
    u_char *last)
{
    size_t  len, before;

    len = ngx_http_segments_redact_length(mask, pos, last);

    before = len - ngx_min(len, (size_t) (last - pos));
    len -= before;

    ngx_memset(last - len, '*', len);

    if (before) {
        ngx_memset(mask->held + mask->withheld - before, '*', before);
    }

    mask->matched = 0;
}


void
ngx_http_segments_redact_restart(ngx_http_segments_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        ctx->masks[i].matched = 0;
        ctx->masks[i].escape = 0;
        ctx->masks[i].scanned = 0;
    }
}


u_char *
ngx_http_segments_redact_arrived(ngx_http_segments_ctx_t *ctx, ngx_buf_t *b,
    ngx_http_segments_found_t *found)
{
    u_char                    *p, *last;
    ngx_uint_t                 i;
    ngx_http_segments_mask_t  *mask;

    found->first = NULL;
    found->last = NULL;

    last = b->last;

    /* one reads behind the other, and no further than that is sure of */

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {

        mask = &ctx->masks[i];

        if (mask->key == NULL) {
            continue;
        }

        p = b->start + mask->scanned;

        while (ngx_http_segments_redact_scan(mask, p, last, &p)) {

            ngx_http_segments_redact_overwrite(mask, b->start, p);

            if (found->first == NULL || p < found->first) {
                found->first = p;
            }

            found->last = ngx_max(found->last, p);
        }

        mask->scanned = last - b->start;
        last -= ngx_http_segments_redact_length(mask, b->start, last);
    }

    return last;
}


void
ngx_http_segments_redact_moved(ngx_http_segments_ctx_t *ctx, size_t offset)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        if (ctx->masks[i].key) {
            ctx->masks[i].scanned -= offset;
        }
    }
}


/* whether there is what a key becomes */

ngx_uint_t
ngx_http_segments_redacted(ngx_http_segments_ctx_t *ctx, ngx_str_t *text)
{
    size_t      n;
    u_char      *p, *last;
    ngx_uint_t  i;

    if (!ctx->masked) {
        return 0;
    }

    n = 0;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (*p != '*') {
            n = 0;
            continue;
        }

        n++;

        for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
            if (ctx->masks[i].key && n == ctx->masks[i].key->key.len) {
                return 1;
            }
        }
    }

    return 0;
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
    u_char                    *p, *last;
    ngx_uint_t                 found;
    ngx_http_segments_mask_t   mask;

    ngx_memzero(&mask, sizeof(ngx_http_segments_mask_t));

    mask.key = key;

    p = text->data;
    last = text->data + text->len;
    found = 0;

    while (ngx_http_segments_redact_scan(&mask, p, last, &p)) {
        ngx_http_segments_redact_overwrite(&mask, text->data, p);
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
    size_t   len;
    u_char  *p;

    len = ngx_buf_in_memory(b) ? (size_t) (b->last - b->pos) : 0;
    p = b->pos;

    while (len && ngx_http_segments_redact_scan(mask, p, b->last, &p)) {

        ngx_http_segments_redact_overwrite(mask, b->pos, p);

        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "upstream sent the Secret Key back in a body, "
                      "where it is masked");
    }

    if (b->last_buf) {
        mask->matched = 0;
        mask->escape = 0;
    }

    if ((mask->matched || mask->withheld)
        && ngx_http_segments_redact_withhold(r, mask, b, len, ll) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (len && b->last == b->pos && !b->last_buf) {
        return NGX_OK;
    }

    return ngx_http_segments_append(r, ll, b);
}


/*
 * Of what was withheld before, all leaves that does not still match; of the
 * buffer's "len" bytes stays what does.
 */

static ngx_int_t
ngx_http_segments_redact_withhold(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, size_t len,
    ngx_chain_t ***ll)
{
    size_t  n, kept, gone;

    n = ngx_http_segments_redact_length(mask, b->pos, len ? b->last : b->pos);

    kept = ngx_min(n, len);
    gone = mask->withheld - (n - kept);

    if (ngx_http_segments_redact_copy(r, ll, mask->held, gone) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mask->held == NULL) {

        /* each byte of the key, and one that is not complete, as "%2F" */

        mask->held = ngx_pnalloc(r->pool, 3 * mask->key->key.len);
        if (mask->held == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memmove(mask->held, mask->held + gone, n - kept);

    if (kept) {
        b->last -= kept;
        ngx_memcpy(mask->held + n - kept, b->last, kept);
    }

    mask->withheld = n;

    return NGX_OK;
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

    b->last = ngx_cpymem(b->last, data, len);

    return ngx_http_segments_append(r, ll, b);
}
