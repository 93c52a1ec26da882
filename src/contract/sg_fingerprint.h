
/*
 * The canonical form of a JSON value and its SHA-256.
 *
 * Members sorted by the bytes of their UTF-8 names, no insignificant space,
 * array order kept, strings by code point (the shortest JSON escape of ", \
 * and control characters, everything else as UTF-8), integers exactly, reals
 * by their shortest text that reads back as the same double (printf's %.15g,
 * %.16g or %.17g; a subnormal's begins at %.1g) and always with a "." or an
 * exponent, so that 1 and 1.0 differ.
 */

#ifndef SG_FINGERPRINT_H
#define SG_FINGERPRINT_H


#include <jansson.h>

#include "contract/sg_buf.h"


#define SG_FINGERPRINT_LEN  32          /* bytes */


/* appends the canonical form; a failure shows in out->failed */
void sg_canonical(sg_buf_t *out, const json_t *value);

/* 0, or -1 when memory or the digest failed */
int sg_fingerprint(unsigned char out[SG_FINGERPRINT_LEN],
    const json_t *value);

/* that of the text which has been digested (sg_sha256.h); 0, or -1 as above */
int sg_fingerprint_end(unsigned char out[SG_FINGERPRINT_LEN]);

/* a body's becomes that of body and query, as the client has written that; 0,
   or -1 as above */
int sg_fingerprint_query(unsigned char fingerprint[SG_FINGERPRINT_LEN],
    sg_str_t query);


#endif /* SG_FINGERPRINT_H */
