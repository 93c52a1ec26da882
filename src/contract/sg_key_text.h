
/*
 * What a file with a key of 32 bytes holds.
 */

#ifndef SG_KEY_TEXT_H
#define SG_KEY_TEXT_H


#include "contract/sg_buf.h"


#define SG_KEY_LEN  32                  /* bytes */


typedef enum {
    sg_key_text_ok = 0,
    sg_key_text_empty,
    sg_key_text_syntax                  /* neither base64, of either alphabet,
                                           nor hexadecimal digits; another
                                           length; more than one line */
} sg_key_text_e;


/* white space around it is ignored; "key" is written on sg_key_text_ok only */
sg_key_text_e sg_key_text(unsigned char key[SG_KEY_LEN], sg_str_t text);


#endif /* SG_KEY_TEXT_H */
