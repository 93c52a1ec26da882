
/*
 * A body as jansson has read it: the source for all that the reader of plain
 * bodies leaves.
 */

#ifndef SG_TREE_H
#define SG_TREE_H


#include <jansson.h>

#include "contract/sg_errors.h"
#include "contract/sg_route.h"


/*
 * Adds every violation of a segment: of documented members in their documented
 * order, then, unless "pass_unknown", of the others in the order of the body.
 * An update may have those that only answers have.
 */
void sg_tree_check(sg_operation_e operation, const json_t *segment,
    int pass_unknown, sg_errors_t *errors);


#endif /* SG_TREE_H */
