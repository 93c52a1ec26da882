
/*
 * What is wrong with a request: one sentence about the whole, and violations by
 * field, in the order in which they were found.  All are counted and the first
 * ones kept, each with a field of bounded length: what a worker holds of them
 * does not grow with what a client sends.
 */

#ifndef SG_ERRORS_H
#define SG_ERRORS_H


#include "contract/sg_buf.h"


#define SG_ERRORS_MAX        100        /* violations that are kept */
#define SG_ERRORS_FIELD_MAX  256        /* bytes of a field that are kept */


/* so many violations, and bytes of fields, need no allocation */
#define SG_ERRORS_ROOM       4
#define SG_ERRORS_TEXT       128


typedef struct {
    size_t                field;        /* where it begins in "fields" */
    size_t                len;          /* its bytes */
    const char           *message;      /* static text */
} sg_violation_t;


typedef struct {
    sg_buf_t              message;      /* empty: the caller's own sentence */
    sg_buf_t              fields;       /* one behind the other */
    sg_violation_t       *violations;   /* "room", or malloc()ed */
    size_t                n;            /* kept, SG_ERRORS_MAX at most */
    size_t                size;         /* there is room for */
    size_t                total;        /* found */
    int                   failed;       /* an allocation failed */
    sg_violation_t        room[SG_ERRORS_ROOM];
    unsigned char         text[SG_ERRORS_TEXT];
} sg_errors_t;                          /* not to be copied */


void sg_errors_init(sg_errors_t *errors);
void sg_errors_free(sg_errors_t *errors);

/*
 * "field" is copied, and ends in "..." where it was cut; "message" must be a
 * static string
 */
void sg_errors_add(sg_errors_t *errors, sg_str_t field, const char *message);

/* as "conditions[0].comparator", of the violation at "i"; until one is added */
sg_str_t sg_errors_field(const sg_errors_t *errors, size_t i);

/* counts a violation and returns 1 where none is kept any more, otherwise 0 */
int sg_errors_skip(sg_errors_t *errors);


#endif /* SG_ERRORS_H */
