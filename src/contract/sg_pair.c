
/*
 * A search for two bytes that stand one behind the other.
 */

#include "contract/sg_pair.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>

#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif


const unsigned char *
sg_pair_find_bytes(const unsigned char *p, const unsigned char *end,
    unsigned char first, unsigned char second)
{
    for ( /* void */ ; p < end; p++) {
        if (*p == first && (p + 1 == end || p[1] == second)) {
            break;
        }
    }

    return p;
}


/*
 * What a processor does with sixteen places at once: a byte for each, not zero
 * where a pair stands, whether there is one, and at which place the first is.
 */

#if defined(__SSE2__)

typedef __m128i  sg_pairs_t;

#define sg_pairs_of(ch)       _mm_set1_epi8((char) (ch))
#define sg_pairs_or(a, b)     _mm_or_si128(a, b)
#define sg_pairs_any(pairs)   (_mm_movemask_epi8(pairs) != 0)
#define sg_pairs_first(pairs)                                                 \
    __builtin_ctz((unsigned) _mm_movemask_epi8(pairs))


static inline sg_pairs_t
sg_pairs_at(const unsigned char *p, sg_pairs_t first, sg_pairs_t second)
{
    const void  *here = p, *behind = p + 1;

    return _mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128(here), first),
                         _mm_cmpeq_epi8(_mm_loadu_si128(behind), second));
}

#elif defined(__aarch64__) && defined(__ARM_NEON)

typedef uint8x16_t  sg_pairs_t;

/* four bits of each byte */
#define sg_pairs_mask(pairs)                                                  \
    vget_lane_u64(vreinterpret_u64_u8(                                        \
        vshrn_n_u16(vreinterpretq_u16_u8(pairs), 4)), 0)

#define sg_pairs_of(ch)        vdupq_n_u8(ch)
#define sg_pairs_or(a, b)      vorrq_u8(a, b)
#define sg_pairs_any(pairs)    (sg_pairs_mask(pairs) != 0)
#define sg_pairs_first(pairs)  (__builtin_ctzll(sg_pairs_mask(pairs)) / 4)


static inline sg_pairs_t
sg_pairs_at(const unsigned char *p, sg_pairs_t first, sg_pairs_t second)
{
    return vandq_u8(vceqq_u8(vld1q_u8(p), first),
                    vceqq_u8(vld1q_u8(p + 1), second));
}

#else
#define SG_PAIR_BYTES  1
#endif


#if (SG_PAIR_BYTES)

const unsigned char *
sg_pair_find(const unsigned char *p, const unsigned char *end,
    unsigned char first, unsigned char second)
{
    return sg_pair_find_bytes(p, end, first, second);
}

#else

/* each place is looked at with the one behind it, which has to be there */

const unsigned char *
sg_pair_find(const unsigned char *p, const unsigned char *end,
    unsigned char first, unsigned char second)
{
    sg_pairs_t  firsts, seconds, pairs;

    if (end - p < 17) {
        return sg_pair_find_bytes(p, end, first, second);
    }

    firsts = sg_pairs_of(first);
    seconds = sg_pairs_of(second);

    while (end - p >= 33) {
        pairs = sg_pairs_or(sg_pairs_at(p, firsts, seconds),
                            sg_pairs_at(p + 16, firsts, seconds));

        if (sg_pairs_any(pairs)) {
            break;
        }

        p += 32;
    }

    for ( ;; ) {

        /* at the end some are looked at once more, and are none again */

        if (end - p < 17) {
            p = end - 17;
        }

        pairs = sg_pairs_at(p, firsts, seconds);

        if (sg_pairs_any(pairs)) {
            return p + sg_pairs_first(pairs);
        }

        p += 16;

        if (p == end - 1) {
            return *p == first ? p : end;
        }
    }
}

#endif
