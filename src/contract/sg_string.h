
/*
 * The strings of a text that is read in one pass.
 */

#ifndef SG_STRING_H
#define SG_STRING_H


#include "contract/sg_cursor.h"
#include "contract/sg_unit.h"


/*
 * Takes a string off the text, from "p" behind its first quotation mark on, and
 * fills "child", which points into the text or into what the cursor owns.
 * Returns what stands behind the string, or NULL where it is no string of RFC
 * 8259 in UTF-8, has U+0000 or a lone surrogate, or memory failed.
 */
const unsigned char *sg_string_read(sg_cursor_t *at, const unsigned char *p,
    sg_child_t *child);


#endif /* SG_STRING_H */
