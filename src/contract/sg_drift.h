
/*
 * An upstream's answer, compared with what is documented (documentation:
 * api-reference/segments, reference/v4/handling-api-errors).
 */

#ifndef SG_DRIFT_H
#define SG_DRIFT_H


#include "contract/sg_buf.h"
#include "contract/sg_field.h"
#include "contract/sg_route.h"


typedef struct {
    unsigned              status;
    sg_str_t              type;         /* Content-Type, or empty */
    sg_str_t              body;
} sg_answered_t;


typedef struct {
    sg_fields_t           fields;       /* that are not as documented */
    sg_fields_t           additional;   /* that have members besides the
                                           documented ones */
    sg_field_e            first;        /* of "fields", in the answer's order;
                                           valid where there are some */
    const char           *words;        /* that say of the first what is wrong
                                           with it; static */
} sg_drift_t;


typedef enum {
    sg_drift_none = 0,                  /* drift->fields is empty */
    sg_drift_found,
    sg_drift_unchecked,                 /* a part of an answer, or that nothing
                                           has changed: 206, 304 */
    sg_drift_failed                     /* out of memory */
} sg_drift_e;


/* compares the whole answer to an operation; keeps nothing of it */
sg_drift_e sg_drift_check(sg_operation_e operation,
    const sg_answered_t *answer, sg_drift_t *drift);

/* all that the answers to an operation can differ in; "first" is not set */
void sg_drift_possible(sg_operation_e operation, sg_drift_t *drift);

/*
 * 1 when such an answer is to be told of at "now": where nothing was, "last"
 * being 0, and once a minute from then on.  Both are milliseconds of a clock
 * that begins anew when all its numbers are used up, and that of another
 * process may be a little ahead.
 */
int sg_drift_due(unsigned long last, unsigned long now);


#endif /* SG_DRIFT_H */
