
/*
 * SHA-256 of a text, in one piece or in several.
 */

#ifndef SG_SHA256_H
#define SG_SHA256_H


#include <stddef.h>

#include <openssl/evp.h>


#define SG_SHA256_LEN  32               /* bytes */


/*
 * Each returns 0, or -1 when OpenSSL has no SHA-256 or no memory.  There is one
 * digest in a process, which sg_sha256_begin() begins anew: not to be called by
 * threads.
 */
int sg_sha256_begin(void);
int sg_sha256_add(const void *data, size_t len);
int sg_sha256_end(unsigned char out[SG_SHA256_LEN]);

/*
 * What was added so far, to go on from more than once: NULL as above, or the
 * caller's, to be freed with EVP_MD_CTX_free().  sg_sha256_resume() stands for
 * sg_sha256_begin() then.
 */
EVP_MD_CTX *sg_sha256_keep(void);
int sg_sha256_resume(const EVP_MD_CTX *kept);

/* of a text in one piece */
int sg_sha256(unsigned char out[SG_SHA256_LEN], const void *data, size_t len);

/* frees what is kept between two calls; legal at any time */
void sg_sha256_free(void);


#endif /* SG_SHA256_H */
