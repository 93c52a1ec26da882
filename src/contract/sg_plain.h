
/*
 * Plain text: ASCII that stands for itself in a JSON string, which is neither
 * ", nor \, nor a control character.
 */

#ifndef SG_PLAIN_H
#define SG_PLAIN_H


#include <stddef.h>
#include <stdint.h>

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

/*
 * Which of the SG_PLAIN_STEP bytes at "p", which are there, are not plain: 0
 * where all of them are, otherwise bits for sg_plain_first().
 */
static inline uint64_t sg_plain_marks(const unsigned char *p);

/* how many bytes are before the first that is marked; one is */
static inline size_t sg_plain_first(uint64_t marks);


#if defined(__SSE2__)

#define SG_PLAIN_BITS  1                /* of each byte */

/*
 * Only the highest bits are looked at in the end.  As signed bytes, what is not
 * ASCII lies below the space, too: the difference is negative, and stays so,
 * as it does not wrap around.
 */

static inline uint64_t
sg_plain_marks(const unsigned char *p)
{
    __m128i  bytes, special;

    bytes = _mm_loadu_si128((const __m128i *) (const void *) p);

    special = _mm_subs_epi8(bytes, _mm_set1_epi8(' '));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    special = _mm_or_si128(special,
                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));

    return (unsigned) _mm_movemask_epi8(special);
}

#elif defined(__aarch64__) && defined(__ARM_NEON)

#define SG_PLAIN_BITS  4

static inline uint64_t
sg_plain_marks(const unsigned char *p)
{
    uint8x16_t  bytes, special;

    bytes = vld1q_u8(p);

    special = vcltzq_s8(vreinterpretq_s8_u8(bytes));
    special = vorrq_u8(special, vcltq_u8(bytes, vdupq_n_u8(' ')));
    special = vorrq_u8(special, vceqq_u8(bytes, vdupq_n_u8('"')));
    special = vorrq_u8(special, vceqq_u8(bytes, vdupq_n_u8('\\')));

    return vget_lane_u64(vreinterpret_u64_u8(
               vshrn_n_u16(vreinterpretq_u16_u8(special), 4)), 0);
}

#else

#define SG_PLAIN_BITS  1

static inline uint64_t
sg_plain_marks(const unsigned char *p)
{
    size_t  n;

    n = sg_plain_bytes(p, p + SG_PLAIN_STEP);

    return (n == SG_PLAIN_STEP) ? 0 : (uint64_t) 1 << n;
}

#endif


static inline size_t
sg_plain_first(uint64_t marks)
{
    return (size_t) __builtin_ctzll(marks) / SG_PLAIN_BITS;
}


#endif /* SG_PLAIN_H */
