
/*
 * A search for two bytes that stand one behind the other: how most of what has
 * no Secret Key in it is passed over.
 */

#ifndef SG_PAIR_H
#define SG_PAIR_H


/*
 * Where "first" stands with "second" behind it, or as the last byte; "end"
 * where it does not.  Reads nothing at "end" or behind.
 */
const unsigned char *sg_pair_find(const unsigned char *p,
    const unsigned char *end, unsigned char first, unsigned char second);

/* the same, a byte at a time: what processors without vectors run, and what the
   tests compare the other with */
const unsigned char *sg_pair_find_bytes(const unsigned char *p,
    const unsigned char *end, unsigned char first, unsigned char second);


#endif /* SG_PAIR_H */
