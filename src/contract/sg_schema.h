
/*
 * The documented schema of a segment in a create or an update, which are the
 * same (documentation: api-reference/segments/create-a-segment).
 */

#ifndef SG_SCHEMA_H
#define SG_SCHEMA_H


#include "contract/sg_errors.h"
#include "contract/sg_unit.h"

#include <string.h>


typedef struct sg_object_s  sg_object_t;


/* where violations go, and where in the body they are */
typedef struct {
    sg_errors_t          *errors;
    int                   in_condition; /* 1 in an element of "conditions" */
    size_t                index;        /* its index, valid when in_condition */
} sg_schema_t;


extern const sg_object_t  sg_segment;
extern const sg_object_t  sg_condition;


/* the place of a member in its object's unit; SG_CHILDREN: it is unknown */
size_t sg_schema_find(const sg_object_t *object, sg_str_t name);

/* adds every violation of the documented members, in their documented order */
void sg_schema_check(const sg_schema_t *schema, const sg_object_t *object,
    const sg_unit_t *unit);

/* the same for the one at the place "i" */
void sg_schema_check_child(const sg_schema_t *schema,
    const sg_object_t *object, const sg_unit_t *unit, size_t i);

/* the violations that are not about a documented member */
void sg_schema_unknown(const sg_schema_t *schema, sg_str_t name);
void sg_schema_wrong(const sg_schema_t *schema, sg_str_t name,
    const char *message);
void sg_schema_no_object(const sg_schema_t *schema);

/* 1 for one of the documented comparators */
static inline int sg_schema_is_comparator(sg_str_t text);


#define sg_schema_is(text, word)                                              \
    (memcmp((text).data, word, sizeof(word) - 1) == 0)


static inline int
sg_schema_is_comparator(sg_str_t text)
{
    switch (text.len) {

    case 2:
        return sg_schema_is(text, "eq") || sg_schema_is(text, "ne")
               || sg_schema_is(text, "gt") || sg_schema_is(text, "lt");

    case 3:
        return sg_schema_is(text, "gte") || sg_schema_is(text, "lte");

    case 8:
        return sg_schema_is(text, "contains");

    case 12:
        return sg_schema_is(text, "not_contains");

    default:
        return 0;
    }
}


#endif /* SG_SCHEMA_H */
