
/*
 * The bytes of JSON strings.
 */

#include "contract/sg_text.h"

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif


/* 1 for a byte that ends what is plain */

#define SG_TEXT_16(n)  n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n

static const unsigned char  sg_text_special[256] = {
    SG_TEXT_16(1), SG_TEXT_16(1),       /* control characters */
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* " */
    SG_TEXT_16(0), SG_TEXT_16(0),
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,     /* \ */
    SG_TEXT_16(0), SG_TEXT_16(0),
    SG_TEXT_16(1), SG_TEXT_16(1), SG_TEXT_16(1), SG_TEXT_16(1),
    SG_TEXT_16(1), SG_TEXT_16(1), SG_TEXT_16(1), SG_TEXT_16(1)
};


size_t
sg_text_plain_bytes(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *start;

    start = p;

    while (p < end && !sg_text_special[*p]) {
        p++;
    }

    return (size_t) (p - start);
}


#if defined(__SSE2__)

/* as signed bytes, what is not ASCII lies below the space, too */

size_t
sg_text_plain(const unsigned char *p, const unsigned char *end)
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

    return (size_t) (p - start) + sg_text_plain_bytes(p, end);
}

#elif defined(__aarch64__) && defined(__ARM_NEON)

size_t
sg_text_plain(const unsigned char *p, const unsigned char *end)
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

    return (size_t) (p - start) + sg_text_plain_bytes(p, end);
}

#else

size_t
sg_text_plain(const unsigned char *p, const unsigned char *end)
{
    return sg_text_plain_bytes(p, end);
}

#endif


size_t
sg_text_utf8(const unsigned char *p, const unsigned char *end)
{
    size_t         i, n;
    unsigned char  low, high;

    /* the second byte's range excludes long forms, surrogates, > U+10FFFF */

    low = 0x80;
    high = 0xbf;

    if (*p >= 0xc2 && *p <= 0xdf) {
        n = 2;

    } else if (*p >= 0xe0 && *p <= 0xef) {
        n = 3;
        low = (*p == 0xe0) ? 0xa0 : low;
        high = (*p == 0xed) ? 0x9f : high;

    } else if (*p >= 0xf0 && *p <= 0xf4) {
        n = 4;
        low = (*p == 0xf0) ? 0x90 : low;
        high = (*p == 0xf4) ? 0x8f : high;

    } else {
        return 0;
    }

    if ((size_t) (end - p) < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


size_t
sg_text_encode(unsigned char *p, unsigned code)
{
    if (code < 0x80) {
        p[0] = (unsigned char) code;
        return 1;
    }

    if (code < 0x800) {
        p[0] = (unsigned char) (0xc0 | code >> 6);
        p[1] = (unsigned char) (0x80 | (code & 0x3f));
        return 2;
    }

    if (code < 0x10000) {
        p[0] = (unsigned char) (0xe0 | code >> 12);
        p[1] = (unsigned char) (0x80 | (code >> 6 & 0x3f));
        p[2] = (unsigned char) (0x80 | (code & 0x3f));
        return 3;
    }

    p[0] = (unsigned char) (0xf0 | code >> 18);
    p[1] = (unsigned char) (0x80 | (code >> 12 & 0x3f));
    p[2] = (unsigned char) (0x80 | (code >> 6 & 0x3f));
    p[3] = (unsigned char) (0x80 | (code & 0x3f));

    return 4;
}
