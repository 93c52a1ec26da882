
/*
 * SHA-256 of a text.
 */

#include "contract/sg_sha256.h"


/*
 * To look up the algorithm, and to make a context for it, takes OpenSSL 3
 * longer than to digest a small body: a context that knows it is kept.
 */

static EVP_MD_CTX  *sg_sha256_ctx;


int
sg_sha256_begin(void)
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

    if (EVP_DigestInit_ex(sg_sha256_ctx, md, NULL)) {
        return 0;
    }

    sg_sha256_free();

    return -1;
}


int
sg_sha256_add(const void *data, size_t len)
{
    return sg_sha256_ctx && EVP_DigestUpdate(sg_sha256_ctx, data, len) ? 0 : -1;
}


int
sg_sha256_end(unsigned char out[SG_SHA256_LEN])
{
    return sg_sha256_ctx && EVP_DigestFinal_ex(sg_sha256_ctx, out, NULL)
           ? 0 : -1;
}


EVP_MD_CTX *
sg_sha256_keep(void)
{
    EVP_MD_CTX  *kept;

    kept = sg_sha256_ctx ? EVP_MD_CTX_new() : NULL;

    if (kept && !EVP_MD_CTX_copy_ex(kept, sg_sha256_ctx)) {
        EVP_MD_CTX_free(kept);
        return NULL;
    }

    return kept;
}


int
sg_sha256_resume(const EVP_MD_CTX *kept)
{
    if (sg_sha256_ctx == NULL && sg_sha256_begin() != 0) {
        return -1;
    }

    if (EVP_MD_CTX_copy_ex(sg_sha256_ctx, kept)) {
        return 0;
    }

    sg_sha256_free();

    return -1;
}


int
sg_sha256(unsigned char out[SG_SHA256_LEN], const void *data, size_t len)
{
    return sg_sha256_begin() == 0
           && sg_sha256_add(data, len) == 0
           && sg_sha256_end(out) == 0
           ? 0 : -1;
}


void
sg_sha256_free(void)
{
    EVP_MD_CTX_free(sg_sha256_ctx);
    sg_sha256_ctx = NULL;
}
