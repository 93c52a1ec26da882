
/*
 * Plain text.
 */

#include "contract/sg_plain.h"


/* 1 for a byte that ends what is plain */

#define SG_PLAIN_16(n)  n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n

static const unsigned char  sg_plain_special[256] = {
    SG_PLAIN_16(1), SG_PLAIN_16(1),         /* control characters */
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,     /* " */
    SG_PLAIN_16(0), SG_PLAIN_16(0),
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,     /* \ */
    SG_PLAIN_16(0), SG_PLAIN_16(0),
    SG_PLAIN_16(1), SG_PLAIN_16(1), SG_PLAIN_16(1), SG_PLAIN_16(1),
    SG_PLAIN_16(1), SG_PLAIN_16(1), SG_PLAIN_16(1), SG_PLAIN_16(1)
};


size_t
sg_plain(const unsigned char *p, const unsigned char *end)
{
    uint64_t              marks;
    const unsigned char  *start;

    start = p;

    while (end - p >= SG_PLAIN_STEP) {

        marks = sg_plain_marks(p);

        if (marks) {
            return (size_t) (p - start) + sg_plain_first(marks);
        }

        p += SG_PLAIN_STEP;
    }

    return (size_t) (p - start) + sg_plain_bytes(p, end);
}


size_t
sg_plain_bytes(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *start;

    start = p;

    while (p < end && !sg_plain_special[*p]) {
        p++;
    }

    return (size_t) (p - start);
}
