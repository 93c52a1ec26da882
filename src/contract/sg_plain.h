
/*
 * Plain text: ASCII that stands for itself in a JSON string, which is neither
 * ", nor \, nor a control character.
 */

#ifndef SG_PLAIN_H
#define SG_PLAIN_H


#include <stddef.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif


#define SG_PLAIN_STEP  16               /* bytes that are looked at at once */


/* how many bytes from "p" on are plain; reads nothing at "end" or behind */
size_t sg_plain(const unsigned char *p, const unsigned char *end);

/* the same, a byte at a time: what processors without vectors run, and what the
   tests compare the others with */
size_t sg_plain_bytes(const unsigned char *p, const unsigned char *end);

/* the same, of the SG_PLAIN_STEP bytes at "p", which are there */
static inline size_t sg_plain_step(const unsigned char *p);


#if defined(__SSE2__)

/*
 * Only the highest bits are looked at in the end.  As signed bytes, what is not
 * ASCII lies below the space, too: the difference is negative, and stays so,
 * as it does not wrap around.
 */

static inline size_t
sg_plain_step(const unsigned char *p)
{
    unsigned  mask;
    __m128i   bytes, special;

    bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

    special = _mm_subs_epi8(bytes, _mm_set1_epi8(' '));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    special = _mm_or_si128(special,
                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));

    /* a bit of each byte, and one behind them */

    mask = (unsigned) _mm_movemask_epi8(special) | 1u << SG_PLAIN_STEP;

    return (unsigned) __builtin_ctz(mask);
}

#elif defined(__aarch64__) && defined(__ARM_NEON)

static inline size_t
sg_plain_step(const unsigned char *p)
{
    uint64_t    mask;
    uint8x16_t  bytes, special;

    bytes = vld1q_u8(p);

    special = vcltzq_s8(vreinterpretq_s8_u8(bytes));
    special = vorrq_u8(special, vcltq_u8(bytes, vdupq_n_u8(' ')));
    special = vorrq_u8(special, vceqq_u8(bytes, vdupq_n_u8('"')));
    special = vorrq_u8(special, vceqq_u8(bytes, vdupq_n_u8('\\')));

    /* four bits of each byte */

    mask = vget_lane_u64(vreinterpret_u64_u8(
               vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);

    return mask ? (size_t) __builtin_ctzll(mask) / 4 : SG_PLAIN_STEP;
}

#else

static inline size_t
sg_plain_step(const unsigned char *p)
{
    return sg_plain_bytes(p, p + SG_PLAIN_STEP);
}

#endif


#endif /* SG_PLAIN_H */
