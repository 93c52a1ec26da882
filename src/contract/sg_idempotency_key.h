
/*
 * The Idempotency-Key header field (draft-ietf-httpapi-idempotency-key-header,
 * section 2.1: an RFC 8941 string) and what is derived from a key.
 */

#ifndef SG_IDEMPOTENCY_KEY_H
#define SG_IDEMPOTENCY_KEY_H


#include "contract/sg_buf.h"
#include "contract/sg_fingerprint.h"
#include "contract/sg_route.h"


#define SG_IDEMPOTENCY_KEY_MAX  255     /* characters */
#define SG_UPSTREAM_KEY_LEN     36      /* a UUID's text */


/*
 * Reads one field value, quoted or bare, into "key" (of as many bytes as the
 * value, SG_IDEMPOTENCY_KEY_MAX suffice).  Spaces and tabs around are ignored.
 * Returns the key's length, or 0 when the value is malformed.
 */
size_t sg_idempotency_key_parse(unsigned char *key, sg_str_t value);

/*
 * The key that the upstream gets: a UUID (RFC 9562, version 8) made of a
 * SHA-256 over scope, operation, key and fingerprint.  0, or -1 when the
 * digest failed.
 */
int sg_upstream_key(unsigned char out[SG_UPSTREAM_KEY_LEN], sg_str_t scope,
    sg_operation_e operation, sg_str_t key,
    const unsigned char fingerprint[SG_FINGERPRINT_LEN]);


#endif /* SG_IDEMPOTENCY_KEY_H */
