
/*
 * A second judge of what is JSON, written from RFC 8259 alone: a recognizer
 * that builds nothing.
 */

#ifndef STRICT_H
#define STRICT_H


#include <stddef.h>
#include <stdint.h>


/* 1 when the whole of "text" is one JSON value, in UTF-8; "depth" bounds its
   own recursion: deeper ones are not JSON to it */
int strict_json(const uint8_t *text, size_t len, unsigned depth);


#endif /* STRICT_H */
