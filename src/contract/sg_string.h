
/*
 * The strings of a text that is read in one pass.
 */

#ifndef SG_STRING_H
#define SG_STRING_H


#include "contract/sg_cursor.h"
#include "contract/sg_unit.h"


/*
 * Takes a string off the text, from behind its first quotation mark, and fills
 * "child", which points into the text or into what the cursor owns.  0, or -1
 * where it is no string of RFC 8259 in UTF-8, has U+0000 or a lone surrogate,
 * or memory failed; "at" is then of no use any more.
 */
int sg_string_read(sg_cursor_t *at, sg_child_t *child);


#endif /* SG_STRING_H */
