
/*
 * A key in bytes that come in pieces.
 *
 * Knuth, Morris and Pratt's automaton reads the bytes once.  What a key may
 * have besides letters and digits is also written "\/" or "%2F": both are told
 * on the way to the automaton, in any mixture, since a key has neither a
 * backslash nor a percent sign.
 */


#include "secret/ngx_http_segments_mask.h"
#include "contract/sg_pair.h"


static ngx_uint_t ngx_http_segments_mask_escape(ngx_http_segments_mask_t *mask,
    u_char ch, u_char *symbol);
static u_char ngx_http_segments_mask_byte(ngx_http_segments_mask_t *mask,
    u_char *pos, u_char *last, size_t n);


/*
 * Goes on at p with what the mask knows of the bytes before.  1: a key ends at
 * *end; 0: none does before "last".
 */

ngx_uint_t
ngx_http_segments_mask_scan(ngx_http_segments_mask_t *mask, u_char *p,
    u_char *last, u_char **end)
{
    u_char     ch;
    ngx_str_t  *key;

    key = &mask->key->key;

    while (p < last) {

        /* a key begins with letters, which are never written otherwise */

        if (mask->matched == 0) {
            p = (u_char *) sg_pair_find(p, last, key->data[0], key->data[1]);
            if (p == last) {
                break;
            }
        }

        ch = *p;

        if ((mask->escape || ch == '\\' || ch == '%')
            && mask->matched && !mask->key->plain)
        {
            if (!ngx_http_segments_mask_escape(mask, ch, &ch)) {

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
ngx_http_segments_mask_escape(ngx_http_segments_mask_t *mask, u_char ch,
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

size_t
ngx_http_segments_mask_length(ngx_http_segments_mask_t *mask, u_char *pos,
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

        if (ngx_http_segments_mask_byte(mask, pos, last, ++len) != ch) {
            len += 2;

        } else if (ch == '/'
                   && ngx_http_segments_mask_byte(mask, pos, last, len + 1)
                      == '\\')
        {
            len++;
        }
    }

    return len;
}


/* the byte that is "n" before "last"; in front of "pos" is what is withheld */

static u_char
ngx_http_segments_mask_byte(ngx_http_segments_mask_t *mask, u_char *pos,
    u_char *last, size_t n)
{
    size_t  len;

    len = last - pos;

    return (n <= len) ? last[-(ssize_t) n]
                      : mask->held[mask->withheld - (n - len)];
}


/* a key ends at "last" */

void
ngx_http_segments_mask_overwrite(ngx_http_segments_mask_t *mask, u_char *pos,
    u_char *last)
{
    size_t  len, before;

    len = ngx_http_segments_mask_length(mask, pos, last);

    before = len - ngx_min(len, (size_t) (last - pos));
    len -= before;

    ngx_memset(last - len, '*', len);

    if (before) {
        ngx_memset(mask->held + mask->withheld - before, '*', before);
    }

    mask->matched = 0;
}
