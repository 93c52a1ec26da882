
/*
 * The Secret Key never reaches a client, even if the upstream sends it back:
 * it is overwritten, wherever the buffers' borders fall.
 *
 * Bytes at the end of a buffer that may be the beginning of the key are
 * withheld until more is known.
 */


#include "secret/ngx_http_segments_redact.h"
#include "message/ngx_http_segments_chain.h"
#include "redis/ngx_redis.h"


static ngx_uint_t ngx_http_segments_redact_text(ngx_http_segments_key_t *key,
    ngx_str_t *text);
static ngx_int_t ngx_http_segments_redact_links(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_chain_t **out);
static ngx_uint_t ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b);
static ngx_int_t ngx_http_segments_redact_withhold(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, ngx_chain_t ***ll);
static ngx_int_t ngx_http_segments_redact_hold(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, size_t len,
    ngx_chain_t ***ll);
static ngx_int_t ngx_http_segments_redact_copy(ngx_http_request_t *r,
    ngx_chain_t ***ll, u_char *data, size_t len);


/*
 * An upstream may repeat what another request told it: the answer to a retry
 * can be the first one's, which was sent with the key before.
 */

void
ngx_http_segments_redact_begin(ngx_http_segments_masks_t *masks,
    ngx_http_segments_secret_t *secret)
{
    ngx_http_segments_key_t  *other;

    other = secret->key;

    if (other == masks->mask[0].key) {
        other = secret->previous;
    }

    if (other && masks->mask[1].key == NULL) {
        masks->mask[1].key = ngx_http_segments_use_key(other);
    }
}


void
ngx_http_segments_redact_restart(ngx_http_segments_masks_t *masks)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        masks->mask[i].matched = 0;
        masks->mask[i].escape = 0;
        masks->mask[i].scanned = 0;
    }
}


u_char *
ngx_http_segments_redact_arrived(ngx_http_segments_masks_t *masks, ngx_buf_t *b,
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

        mask = &masks->mask[i];

        if (mask->key == NULL) {
            continue;
        }

        p = b->start + mask->scanned;

        while (ngx_http_segments_mask_scan(mask, p, last, &p)) {

            ngx_http_segments_mask_overwrite(mask, b->start, p);

            if (found->first == NULL || p < found->first) {
                found->first = p;
            }

            found->last = ngx_max(found->last, p);
        }

        mask->scanned = last - b->start;
        last -= ngx_http_segments_mask_length(mask, b->start, last);
    }

    return last;
}


void
ngx_http_segments_redact_moved(ngx_http_segments_masks_t *masks, size_t offset)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        if (masks->mask[i].key) {
            masks->mask[i].scanned -= offset;
        }
    }
}


/* whether there is what a key becomes */

ngx_uint_t
ngx_http_segments_redacted(ngx_http_segments_masks_t *masks, ngx_str_t *text)
{
    size_t      n;
    u_char      *p, *last;
    ngx_uint_t  i;

    if (!masks->masked) {
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
            if (masks->mask[i].key && n == masks->mask[i].key->key.len) {
                return 1;
            }
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_segments_redact(ngx_http_segments_masks_t *masks, ngx_str_t *text)
{
    ngx_uint_t  found, i;

    found = 0;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {
        if (masks->mask[i].key) {
            found |= ngx_http_segments_redact_text(masks->mask[i].key, text);
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

    while (ngx_http_segments_mask_scan(&mask, p, last, &p)) {
        ngx_http_segments_mask_overwrite(&mask, text->data, p);
        found = 1;
    }

    return found;
}


ngx_int_t
ngx_http_segments_redact_chain(ngx_http_request_t *r,
    ngx_http_segments_masks_t *masks, ngx_chain_t *in, ngx_chain_t **out)
{
    ngx_uint_t  i;

    *out = in;

    for (i = 0; i < NGX_HTTP_SEGMENTS_MASKS; i++) {

        if (masks->mask[i].key
            && ngx_http_segments_redact_links(r, &masks->mask[i], out)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a chain of which nothing is withheld goes on as it came */

static ngx_int_t
ngx_http_segments_redact_links(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_chain_t **out)
{
    ngx_chain_t  *cl, *rest, **ll;

    for (rest = *out; rest; rest = rest->next) {
        if (ngx_http_segments_redact_buf(r, mask, rest->buf)) {
            break;
        }
    }

    if (rest == NULL) {
        return NGX_OK;
    }

    cl = *out;
    ll = out;

    for ( /* void */ ; cl != rest; cl = cl->next) {
        if (ngx_http_segments_append(r, &ll, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for ( ;; ) {

        if (ngx_http_segments_redact_withhold(r, mask, cl->buf, &ll)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        cl = cl->next;
        if (cl == NULL) {
            break;
        }

        (void) ngx_http_segments_redact_buf(r, mask, cl->buf);
    }

    *ll = NULL;

    return NGX_OK;
}


/* overwrites keys; 1 where the end may begin one, or what came before may */

static ngx_uint_t
ngx_http_segments_redact_buf(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b)
{
    u_char  *p;

    p = b->pos;

    while (ngx_buf_in_memory(b)
           && p < b->last
           && ngx_http_segments_mask_scan(mask, p, b->last, &p))
    {
        ngx_http_segments_mask_overwrite(mask, b->pos, p);

        ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(r->connection->log), 0,
                      "upstream sent the Secret Key back in a body, "
                      "where it is masked");
    }

    if (b->last_buf) {
        mask->matched = 0;
        mask->escape = 0;
    }

    return mask->matched || mask->withheld;
}


/* adds the buffer, unless all of it is withheld */

static ngx_int_t
ngx_http_segments_redact_withhold(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, ngx_chain_t ***ll)
{
    size_t  len;

    len = ngx_buf_in_memory(b) ? (size_t) (b->last - b->pos) : 0;

    if ((mask->matched || mask->withheld)
        && ngx_http_segments_redact_hold(r, mask, b, len, ll) != NGX_OK)
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
ngx_http_segments_redact_hold(ngx_http_request_t *r,
    ngx_http_segments_mask_t *mask, ngx_buf_t *b, size_t len,
    ngx_chain_t ***ll)
{
    size_t  n, kept, gone;

    n = ngx_http_segments_mask_length(mask, b->pos, len ? b->last : b->pos);

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
