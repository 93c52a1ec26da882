
/*
 * The documented objects of an answer: a segment, a list, an error's envelope.
 */

#ifndef SG_SHAPE_H
#define SG_SHAPE_H


#include <jansson.h>

#include "contract/sg_buf.h"
#include "contract/sg_field.h"


#define SG_SHAPE_MEMBERS  8


typedef struct sg_shape_s  sg_shape_t;


/* NULL, or what is wrong with a value: words that follow its path; static */
typedef const char *(*sg_shape_check_pt)(const json_t *value);


typedef struct {
    sg_str_t              name;
    sg_field_e            field;
    int                   required;
    sg_shape_check_pt     check;
    const sg_shape_t     *inner;        /* of the object, or of each element of
                                           the array; or NULL */
    sg_field_e            inner_field;  /* of that object or element */
    int                   shift;        /* from the inner shape's fields to
                                           those that they are here */
} sg_shape_member_t;


struct sg_shape_s {
    size_t                n;
    sg_shape_member_t     members[SG_SHAPE_MEMBERS];
};


extern const sg_shape_t  sg_shape_segment;
extern const sg_shape_t  sg_shape_list;
extern const sg_shape_t  sg_shape_envelope;


/* of what an object stands for, as the other checks */
const char *sg_shape_is_object(const json_t *value);


#endif /* SG_SHAPE_H */
