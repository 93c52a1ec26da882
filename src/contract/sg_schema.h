
/*
 * The documented schema of a segment in a create or an update, which are the
 * same (documentation: api-reference/segments/create-a-segment).
 */

#ifndef SG_SCHEMA_H
#define SG_SCHEMA_H


#include <jansson.h>

#include "sg_errors.h"


/*
 * Adds every violation (but see sg_errors_add()): of documented members in their documented order, then
 * unknown members in the order of the body, unless "pass_unknown".
 */
void sg_schema_check(const json_t *segment, int pass_unknown,
    sg_errors_t *errors);


#endif /* SG_SCHEMA_H */
