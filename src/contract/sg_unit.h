
/*
 * What the schema looks at: one object, with its documented members as a source
 * has found them.  A source is the reader of plain bodies (sg_reader.h) or
 * jansson (sg_tree.h).
 */

#ifndef SG_UNIT_H
#define SG_UNIT_H


#include "contract/sg_buf.h"


#define SG_CHILDREN  4                  /* documented members of an object, at
                                           most */

/* a function that is compiled anew at each call, for the constants there */
#define sg_inline  static inline __attribute__((always_inline))


typedef enum {
    sg_absent = 0,
    sg_text,                            /* a string */
    sg_true,
    sg_false,
    sg_array,
    sg_object,
    sg_other                            /* null or a number */
} sg_kind_e;


typedef struct {
    sg_kind_e             kind;
    int                   plain;        /* of a string: its bytes stand for
                                           themselves in JSON */
    sg_str_t              text;         /* of a string, in UTF-8, without
                                           escapes; the source's */
} sg_child_t;


/* by their places in the schema: SG_NAME ... of a segment, SG_METRIC ... of a
   condition */
typedef struct {
    sg_child_t            children[SG_CHILDREN];
} sg_unit_t;


#define SG_NAME        0
#define SG_CONDITIONS  1

#define SG_METRIC      0
#define SG_COMPARATOR  1
#define SG_VALUE       2
#define SG_NEGATE      3


#endif /* SG_UNIT_H */
