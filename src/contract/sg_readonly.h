
/*
 * The members of a segment that only answers have: object, id, url, is_system,
 * created_at, updated_at (documentation: api-reference/segments/get-a-segment).
 * Whoever gets a segment, changes it and puts it back sends them, too.
 */

#ifndef SG_READONLY_H
#define SG_READONLY_H


#include <jansson.h>

#include "contract/sg_buf.h"


typedef enum {
    sg_readonly_ok = 0,
    sg_readonly_other,                  /* it is none of them */
    sg_readonly_wrong                   /* "message" is set: static */
} sg_readonly_e;


/* looks at the type of the value alone: nobody acts on what it says */
sg_readonly_e sg_readonly_check(sg_str_t name, const json_t *value,
    const char **message);


#endif /* SG_READONLY_H */
