
/*
 * HMAC-SHA-256 (RFC 2104), and the keys that HKDF makes of one (RFC 5869).
 */

#ifndef SG_HMAC_H
#define SG_HMAC_H


#include "contract/sg_buf.h"
#include "contract/sg_sha256.h"


#define SG_HMAC_LEN      SG_SHA256_LEN
#define SG_HKDF_MAX      (255 * SG_HMAC_LEN)
#define SG_HKDF_INFO     64             /* bytes of "info" at most */


/* of the parts of a text, one behind the other; 0, or -1 as sg_sha256() */
int sg_hmac(unsigned char out[SG_HMAC_LEN], sg_str_t key,
    const sg_str_t *parts, size_t n);

/*
 * "len" bytes, at most SG_HKDF_MAX, that depend on the secret and on "info",
 * which has at most SG_HKDF_INFO bytes.  "salt" may be empty.  0, or -1 as
 * sg_sha256(), or when a length is too large.
 */
int sg_hkdf(unsigned char *out, size_t len, sg_str_t secret, sg_str_t salt,
    sg_str_t info);

/* its second half: the secret is a key of SG_HMAC_LEN bytes already */
int sg_hkdf_expand(unsigned char *out, size_t len,
    const unsigned char secret[SG_HMAC_LEN], sg_str_t info);


#endif /* SG_HMAC_H */
