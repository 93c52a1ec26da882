
/*
 * Qonversion's error envelope
 * (documentation: reference/v4/handling-api-errors).
 */

#ifndef SG_ENVELOPE_H
#define SG_ENVELOPE_H


#include "contract/sg_errors.h"


/*
 * Appends {"error":{"type","code","message","details":[...]}}.  "type" and
 * "code" have nothing to escape, as the messages of violations.  "message" is
 * used unless errors->message is set; "errors" may be NULL.  "details" is left
 * out when there is no violation; where more were found than are kept, the
 * message says how many.  Bytes that are not UTF-8 in a field's name
 * are replaced by U+FFFD.
 */
void sg_envelope(sg_buf_t *out, const char *type, const char *code,
    const char *message, const sg_errors_t *errors);

/* the type and code for an error that nginx itself makes, by its status */
void sg_envelope_for_status(sg_buf_t *out, unsigned status);


#endif /* SG_ENVELOPE_H */
