
/*
 * The reader of plain bodies: what the documentation shows is read in one pass,
 * where it lies.
 *
 * It knows JSON as RFC 8259 has it, and of that what a segment needs: objects
 * with documented members in any order, each at most once and with a name that
 * has no escapes; strings with any escapes; true, false, null.  Whatever else
 * it meets, it leaves to jansson (sg_json.h, sg_tree.h), malformed text too:
 * it accepts nothing that jansson would not, and never says what is wrong with
 * a text that is not JSON.
 */

#ifndef SG_READER_H
#define SG_READER_H


#include "contract/sg_cursor.h"
#include "contract/sg_errors.h"


typedef enum {
    sg_reader_ok = 0,                   /* no violation; the fingerprint is
                                           written where one is wanted */
    sg_reader_invalid,                  /* the violations are in "errors" */
    sg_reader_left                      /* it is jansson's; "errors" is to be
                                           freed, the fingerprint undefined */
} sg_reader_e;


/*
 * "fingerprint" has SG_FINGERPRINT_LEN bytes or is NULL.  Keeps nothing of
 * "text".  Where memory fails, the body is left.
 */
sg_reader_e sg_reader_body(const sg_body_text_t *text, sg_errors_t *errors,
    unsigned char *fingerprint);


#endif /* SG_READER_H */
