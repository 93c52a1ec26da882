
/*
 * Bodies of the documented shape, or nearly so: what bytes changed at random
 * hardly ever become.
 */

#ifndef PLAIN_H
#define PLAIN_H


#include <stddef.h>
#include <stdint.h>


/*
 * Writes one into "out", of "size" bytes, and returns its length; the same for
 * the same "seed".  One that finds no room is cut.
 */
size_t plain_body(uint8_t *out, size_t size, unsigned seed);


#endif /* PLAIN_H */
