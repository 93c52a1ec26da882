
/*
 * A request's body: strict JSON, then the documented schema, then its
 * fingerprint.
 */

#ifndef SG_BODY_H
#define SG_BODY_H


#include "contract/sg_errors.h"
#include "contract/sg_fingerprint.h"
#include "contract/sg_reader.h"
#include "contract/sg_route.h"


#define SG_BODY_MAX_DEPTH  16           /* the top level counted */


typedef enum {
    sg_body_ok = 0,
    sg_body_not_json,                   /* errors->message has line, column */
    sg_body_not_object,                 /* errors->message set */
    sg_body_invalid,                    /* violations are in "errors" */
    sg_body_failed                      /* out of memory */
} sg_body_e;


/*
 * Checks the body of a create or an update.  "fingerprint" may be NULL where
 * none is wanted; it is written only on sg_body_ok.  Keeps nothing of "text".
 */
sg_body_e sg_body_check(sg_operation_e operation, const sg_body_text_t *text,
    int pass_unknown, sg_errors_t *errors, unsigned char *fingerprint);

/* the same by jansson alone, which judges all that the reader leaves */
sg_body_e sg_body_check_tree(sg_operation_e operation, sg_str_t text,
    int pass_unknown, sg_errors_t *errors, unsigned char *fingerprint);


#endif /* SG_BODY_H */
