
/*
 * Conditions as nearly all of them are written: the members in the order of the
 * documentation, no white space, or one space behind each colon and comma, no
 * string with more in it than plain ASCII, and a documented comparator.
 */

#ifndef SG_USUAL_H
#define SG_USUAL_H


#include "contract/sg_canonical.h"
#include "contract/sg_cursor.h"


/*
 * Takes such conditions off the text at "*p", as many as follow one another,
 * each with the comma that follows at once, and its space; counts them in "*n",
 * and writes them to "to" if that is not NULL.  Nothing is left for the schema
 * to check of them.  Returns 0 behind one that no comma follows at once, or 1
 * where another condition has to follow.
 */
int sg_usual_conditions(sg_cursor_t *at, const unsigned char **p, size_t *n,
    sg_canonical_t *to);


#endif /* SG_USUAL_H */
