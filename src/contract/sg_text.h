
/*
 * Code points in UTF-8 (RFC 3629).
 */

#ifndef SG_TEXT_H
#define SG_TEXT_H


#include <stddef.h>


/*
 * The length of the sequence of two to four bytes at "p", which is not at
 * "end"; 0 when it is malformed: cut, longer than needed, a surrogate, or
 * beyond U+10FFFF.
 */
size_t sg_text_utf8(const unsigned char *p, const unsigned char *end);

/* writes a code point, one to four bytes, and returns how many */
size_t sg_text_encode(unsigned char *p, unsigned code);


#endif /* SG_TEXT_H */
