
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


/* a key that the digest has been fed with: half of what a short text costs */
typedef struct {
    EVP_MD_CTX           *inner;
    EVP_MD_CTX           *outer;
} sg_hmac_key_t;


/* 0, or -1 as sg_sha256(); to be freed, after which it may be freed again */
int sg_hmac_key(sg_hmac_key_t *key, sg_str_t secret);
void sg_hmac_key_free(sg_hmac_key_t *key);

/* of the parts of a text, one behind the other; 0, or -1 as sg_sha256() */
int sg_hmac(unsigned char out[SG_HMAC_LEN], const sg_hmac_key_t *key,
    const sg_str_t *parts, size_t n);

/*
 * "len" bytes, at most SG_HKDF_MAX, that depend on the secret and on "info",
 * which has at most SG_HKDF_INFO bytes.  "salt" may be empty.  0, or -1 as
 * sg_sha256(), or when a length is too large.
 */
int sg_hkdf(unsigned char *out, size_t len, sg_str_t secret, sg_str_t salt,
    sg_str_t info);

/* its second half */
int sg_hkdf_expand(unsigned char *out, size_t len, const sg_hmac_key_t *key,
    sg_str_t info);


#endif /* SG_HMAC_H */
