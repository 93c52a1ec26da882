
/*
 * What is wrong with a request: one sentence about the whole, and any number
 * of violations by field, in the order in which they were found.
 */

#ifndef SG_ERRORS_H
#define SG_ERRORS_H


#include "sg_buf.h"


typedef struct {
    sg_buf_t              field;        /* as "conditions[0].comparator" */
    const char           *message;      /* static text */
} sg_violation_t;


typedef struct {
    sg_buf_t              message;      /* empty: the caller's own sentence */
    sg_violation_t       *violations;   /* malloc()ed, owned by the list */
    size_t                n;
    size_t                size;
    int                   failed;       /* an allocation failed */
} sg_errors_t;


void sg_errors_init(sg_errors_t *errors);
void sg_errors_free(sg_errors_t *errors);

/* "field" is copied; "message" must be a static string */
void sg_errors_add(sg_errors_t *errors, sg_str_t field, const char *message);


#endif /* SG_ERRORS_H */
