
/*
 * A condition as nearly all of them are written: the members in the order of
 * the documentation, no white space, and no string with more in it than plain
 * ASCII.
 */

#ifndef SG_USUAL_H
#define SG_USUAL_H


#include "contract/sg_unit.h"


/*
 * Fills "condition" where such a one stands at "p", and returns what is behind
 * it; otherwise NULL, and the unit is of no use.  Nothing but the comparator is
 * left for the schema to check.
 */
const unsigned char *sg_usual_condition(const unsigned char *p,
    const unsigned char *end, sg_unit_t *condition);


#endif /* SG_USUAL_H */
