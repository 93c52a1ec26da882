
/*
 * What is inside of a JSON string: plain text, UTF-8, escapes.
 */

#include "contract/sg_string.h"
#include "contract/sg_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif



static inline size_t sg_string_scan(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *sg_string_read_on(sg_cursor_t *at,
    const unsigned char *start, const unsigned char *p, sg_child_t *child);
static int sg_string_escaped(sg_cursor_t *at, sg_child_t *child);
static int sg_string_escape(sg_cursor_t *at);
static int sg_string_code(sg_cursor_t *at, unsigned *code);
static int sg_string_hex(sg_cursor_t *at, unsigned *code);
static int sg_string_take(sg_cursor_t *at, unsigned char ch);


/* 1 for a byte that ends what is plain */

#define SG_STRING_16(n)  n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n

static const unsigned char  sg_string_special[256] = {
    SG_STRING_16(1), SG_STRING_16(1),       /* control characters */
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* " */
    SG_STRING_16(0), SG_STRING_16(0),
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,     /* \ */
    SG_STRING_16(0), SG_STRING_16(0),
    SG_STRING_16(1), SG_STRING_16(1), SG_STRING_16(1), SG_STRING_16(1),
    SG_STRING_16(1), SG_STRING_16(1), SG_STRING_16(1), SG_STRING_16(1)
};


size_t
sg_string_plain_bytes(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *start;

    start = p;

    while (p < end && !sg_string_special[*p]) {
        p++;
    }

    return (size_t) (p - start);
}


#if defined(__SSE2__)

/* as signed bytes, what is not ASCII lies below the space, too */

static inline size_t
sg_string_scan(const unsigned char *p, const unsigned char *end)
{
    int                   mask;
    __m128i               bytes, special;
    const unsigned char  *start;

    start = p;

    while (end - p >= 16) {
        bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

        special = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));
        special = _mm_or_si128(special,
                               _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        special = _mm_or_si128(special,
                               _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));

        mask = _mm_movemask_epi8(special);

        if (mask) {
            return (size_t) (p - start)
                   + (size_t) __builtin_ctz((unsigned) mask);
        }

        p += 16;
    }

    return (size_t) (p - start) + sg_string_plain_bytes(p, end);
}

#elif defined(__aarch64__) && defined(__ARM_NEON)

static inline size_t
sg_string_scan(const unsigned char *p, const unsigned char *end)
{
    uint64_t              mask;
    uint8x16_t            bytes, special;
    const unsigned char  *start;

    start = p;

    while (end - p >= 16) {
        bytes = vld1q_u8(p);

        special = vcltzq_s8(vreinterpretq_s8_u8(bytes));
        special = vorrq_u8(special, vcltq_u8(bytes, vdupq_n_u8(' ')));
        special = vorrq_u8(special, vceqq_u8(bytes, vdupq_n_u8('"')));
        special = vorrq_u8(special, vceqq_u8(bytes, vdupq_n_u8('\\')));

        /* four bits of each byte */

        mask = vget_lane_u64(vreinterpret_u64_u8(
                   vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);

        if (mask) {
            return (size_t) (p - start)
                   + (size_t) __builtin_ctzll(mask) / 4;
        }

        p += 16;
    }

    return (size_t) (p - start) + sg_string_plain_bytes(p, end);
}

#else

static inline size_t
sg_string_scan(const unsigned char *p, const unsigned char *end)
{
    return sg_string_plain_bytes(p, end);
}

#endif


size_t
sg_string_plain(const unsigned char *p, const unsigned char *end)
{
    return sg_string_scan(p, end);
}


/* one that has no escapes is not copied */

const unsigned char *
sg_string_read(sg_cursor_t *at, const unsigned char *p, sg_child_t *child)
{
    const unsigned char  *last;

    last = p + sg_string_scan(p, at->end);

    if (last == at->end) {
        return NULL;
    }

    if (*last != '"') {
        return sg_string_read_on(at, p, last, child);
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = p;
    child->text.len = (size_t) (last - p);

    return last + 1;
}


/* with the rest of a string, at something else than plain ASCII */

static const unsigned char *
sg_string_read_on(sg_cursor_t *at, const unsigned char *start,
    const unsigned char *p, sg_child_t *child)
{
    size_t  n;

    while (*p != '"') {

        if (*p == '\\') {
            at->p = start;
            return sg_string_escaped(at, child) == 0 ? at->p : NULL;
        }

        n = sg_text_utf8(p, at->end);
        if (n == 0) {
            return NULL;                /* a control character, too */
        }

        p += n;
        p += sg_string_scan(p, at->end);

        if (p == at->end) {
            return NULL;
        }
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = start;
    child->text.len = (size_t) (p - start);

    return p + 1;
}


/* from its beginning; no string is longer than what it was written as */

static int
sg_string_escaped(sg_cursor_t *at, sg_child_t *child)
{
    size_t  n;

    if (at->strings == NULL) {
        at->strings = malloc(at->size);
        if (at->strings == NULL) {
            return -1;
        }

        at->free = at->strings;
    }

    child->kind = sg_text;
    child->plain = 0;
    child->text.data = at->free;

    while (!sg_string_take(at, '"')) {

        n = sg_string_scan(at->p, at->end);

        if (n == 0) {

            if (sg_string_take(at, '\\')) {

                if (sg_string_escape(at) != 0) {
                    return -1;
                }

                continue;
            }

            n = (at->p == at->end) ? 0 : sg_text_utf8(at->p, at->end);

            if (n == 0) {
                return -1;
            }
        }

        memcpy(at->free, at->p, n);

        at->free += n;
        at->p += n;
    }

    child->text.len = (size_t) (at->free - child->text.data);

    return 0;
}


/* behind the backslash */

static int
sg_string_escape(sg_cursor_t *at)
{
    unsigned     code;
    const char  *letter;

    static const char  letters[] = "\"\\/bfnrt";
    static const char  characters[] = "\"\\/\b\f\n\r\t";

    if (sg_string_take(at, 'u')) {

        if (sg_string_code(at, &code) != 0) {
            return -1;
        }

        at->free += sg_text_encode(at->free, code);
        return 0;
    }

    if (at->p == at->end || *at->p == '\0') {
        return -1;
    }

    letter = strchr(letters, *at->p++);
    if (letter == NULL) {
        return -1;
    }

    *at->free++ = (unsigned char) characters[letter - letters];

    return 0;
}


/* behind \u: a code point, for which there may be two escapes (RFC 8259, 7) */

static int
sg_string_code(sg_cursor_t *at, unsigned *code)
{
    unsigned  low;

    /* U+0000 and lone surrogates are refused, with jansson's words */

    if (sg_string_hex(at, code) != 0
        || *code == 0
        || (*code >= 0xdc00 && *code <= 0xdfff))
    {
        return -1;
    }

    if (*code < 0xd800 || *code > 0xdfff) {
        return 0;
    }

    if (!sg_string_take(at, '\\')
        || !sg_string_take(at, 'u')
        || sg_string_hex(at, &low) != 0
        || low < 0xdc00 || low > 0xdfff)
    {
        return -1;
    }

    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);

    return 0;
}


/* four digits */

static int
sg_string_hex(sg_cursor_t *at, unsigned *code)
{
    unsigned       i;
    unsigned char  ch;

    if (at->end - at->p < 4) {
        return -1;
    }

    *code = 0;

    for (i = 0; i < 4; i++) {
        ch = *at->p++;

        if (ch >= '0' && ch <= '9') {
            ch -= '0';

        } else {
            ch |= 0x20;

            if (ch < 'a' || ch > 'f') {
                return -1;
            }

            ch -= 'a' - 10;
        }

        *code = *code << 4 | ch;
    }

    return 0;
}


static int
sg_string_take(sg_cursor_t *at, unsigned char ch)
{
    if (at->p == at->end || *at->p != ch) {
        return 0;
    }

    at->p++;

    return 1;
}
