
/*
 * SHA-256 of a text in one piece.
 */

#include "sg_sha256.h"

#include <openssl/evp.h>


/*
 * To look up the algorithm, and to make a context for it, takes OpenSSL 3
 * longer than to digest a small body: one of each is kept.
 */

int
sg_sha256(unsigned char out[SG_SHA256_LEN], const void *data, size_t len)
{
    static EVP_MD_CTX    *ctx;
    static const EVP_MD  *md;

    if (md == NULL) {
#if (OPENSSL_VERSION_NUMBER >= 0x30000000L)
        md = EVP_MD_fetch(NULL, "SHA256", NULL);
#else
        md = EVP_sha256();
#endif
    }

    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
    }

    if (md == NULL || ctx == NULL) {
        return -1;
    }

    return EVP_DigestInit_ex(ctx, md, NULL)
           && EVP_DigestUpdate(ctx, data, len)
           && EVP_DigestFinal_ex(ctx, out, NULL)
           ? 0 : -1;
}
