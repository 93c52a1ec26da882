
/*
 * The bytes of JSON strings: how far they are what they look like, and what is
 * UTF-8 (RFC 3629) among the others.
 */

#ifndef SG_TEXT_H
#define SG_TEXT_H


#include <stddef.h>


/*
 * How many bytes from "p" on are ASCII that stands for itself in a JSON string:
 * neither ", nor \, nor a control character.  Reads nothing at "end" or behind.
 */
size_t sg_text_plain(const unsigned char *p, const unsigned char *end);

/* the same, a byte at a time: what processors without vectors run, and what the
   tests compare the other with */
size_t sg_text_plain_bytes(const unsigned char *p, const unsigned char *end);

/*
 * The length of the sequence of two to four bytes at "p", which is not at
 * "end"; 0 when it is malformed: cut, longer than needed, a surrogate, or
 * beyond U+10FFFF.
 */
size_t sg_text_utf8(const unsigned char *p, const unsigned char *end);

/* writes a code point, one to four bytes, and returns how many */
size_t sg_text_encode(unsigned char *p, unsigned code);


#endif /* SG_TEXT_H */
