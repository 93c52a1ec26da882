
/*
 * SHA-256 of a text in one piece.
 */

#include "sg_sha256.h"

#include <openssl/evp.h>


/*
 * To look up the algorithm, and to make a context for it, takes OpenSSL 3
 * longer than to digest a small body: a context that knows it is kept.
 */

static EVP_MD_CTX  *sg_sha256_ctx;


int
sg_sha256(unsigned char out[SG_SHA256_LEN], const void *data, size_t len)
{
    const EVP_MD  *md;

    md = NULL;                          /* the context's */

    if (sg_sha256_ctx == NULL) {

        sg_sha256_ctx = EVP_MD_CTX_new();
        if (sg_sha256_ctx == NULL) {
            return -1;
        }

        md = EVP_sha256();
    }

    if (EVP_DigestInit_ex(sg_sha256_ctx, md, NULL)
        && EVP_DigestUpdate(sg_sha256_ctx, data, len)
        && EVP_DigestFinal_ex(sg_sha256_ctx, out, NULL))
    {
        return 0;
    }

    sg_sha256_end();

    return -1;
}


void
sg_sha256_end(void)
{
    EVP_MD_CTX_free(sg_sha256_ctx);
    sg_sha256_ctx = NULL;
}
