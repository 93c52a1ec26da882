
/*
 * The query string of each operation
 * (documentation: api-reference/segments/list-segments).
 */

#ifndef SG_QUERY_H
#define SG_QUERY_H


#include "contract/sg_errors.h"
#include "contract/sg_route.h"


/*
 * Checks the raw query string (without "?"; an empty one is none).  Names and
 * values are compared as sent: an escaped spelling of a documented parameter
 * is refused.  "pass_unknown" lets undocumented parameters through.
 * Returns 0 when all is documented, -1 with every violation in "errors"
 * (the field is the parameter's name).
 */
int sg_query_check(sg_operation_e operation, sg_str_t query, int pass_unknown,
    sg_errors_t *errors);


#endif /* SG_QUERY_H */
