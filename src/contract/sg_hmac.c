
/*
 * HMAC-SHA-256, and the keys that HKDF makes of one.  OpenSSL's own would look
 * up the algorithm with each call, which takes longer than a short text.
 */

#include "contract/sg_hmac.h"

#include <string.h>

#include <openssl/crypto.h>


#define SG_HMAC_BLOCK  64               /* bytes that SHA-256 takes at once */


static EVP_MD_CTX *sg_hmac_half(const unsigned char block[SG_HMAC_BLOCK]);
static void sg_hmac_xor(unsigned char block[SG_HMAC_BLOCK],
    unsigned char byte);


int
sg_hmac_key(sg_hmac_key_t *key, sg_str_t secret)
{
    unsigned char  block[SG_HMAC_BLOCK];

    memset(block, 0, sizeof(block));

    key->inner = NULL;
    key->outer = NULL;

    if (secret.len > sizeof(block)) {

        if (sg_sha256(block, secret.data, secret.len) != 0) {
            return -1;
        }

    } else if (secret.len) {
        memcpy(block, secret.data, secret.len);
    }

    sg_hmac_xor(block, 0x36);
    key->inner = sg_hmac_half(block);

    sg_hmac_xor(block, 0x36 ^ 0x5c);
    key->outer = sg_hmac_half(block);

    OPENSSL_cleanse(block, sizeof(block));

    if (key->inner && key->outer) {
        return 0;
    }

    sg_hmac_key_free(key);

    return -1;
}


static EVP_MD_CTX *
sg_hmac_half(const unsigned char block[SG_HMAC_BLOCK])
{
    return sg_sha256_begin() == 0 && sg_sha256_add(block, SG_HMAC_BLOCK) == 0
           ? sg_sha256_keep() : NULL;
}


void
sg_hmac_key_free(sg_hmac_key_t *key)
{
    EVP_MD_CTX_free(key->inner);
    EVP_MD_CTX_free(key->outer);

    key->inner = NULL;
    key->outer = NULL;
}


int
sg_hmac(unsigned char out[SG_HMAC_LEN], const sg_hmac_key_t *key,
    const sg_str_t *parts, size_t n)
{
    int            rc;
    size_t         i;
    unsigned char  digest[SG_HMAC_LEN];

    rc = sg_sha256_resume(key->inner);

    for (i = 0; rc == 0 && i < n; i++) {
        if (parts[i].len) {
            rc = sg_sha256_add(parts[i].data, parts[i].len);
        }
    }

    if (rc != 0
        || sg_sha256_end(digest) != 0
        || sg_sha256_resume(key->outer) != 0
        || sg_sha256_add(digest, sizeof(digest)) != 0
        || sg_sha256_end(out) != 0)
    {
        rc = -1;
    }

    OPENSSL_cleanse(digest, sizeof(digest));

    return rc;
}


static void
sg_hmac_xor(unsigned char block[SG_HMAC_BLOCK], unsigned char byte)
{
    size_t  i;

    for (i = 0; i < SG_HMAC_BLOCK; i++) {
        block[i] ^= byte;
    }
}


int
sg_hkdf(unsigned char *out, size_t len, sg_str_t secret, sg_str_t salt,
    sg_str_t info)
{
    int            rc;
    sg_str_t       text;
    sg_hmac_key_t  key;
    unsigned char  digest[SG_HMAC_LEN];

    if (sg_hmac_key(&key, salt) != 0) {
        return -1;
    }

    rc = sg_hmac(digest, &key, &secret, 1);
    sg_hmac_key_free(&key);

    text.data = digest;
    text.len = sizeof(digest);

    if (rc == 0) {
        rc = sg_hmac_key(&key, text);
    }

    OPENSSL_cleanse(digest, sizeof(digest));

    if (rc == 0) {
        rc = sg_hkdf_expand(out, len, &key, info);
        sg_hmac_key_free(&key);
    }

    return rc;
}


int
sg_hkdf_expand(unsigned char *out, size_t len, const sg_hmac_key_t *key,
    sg_str_t info)
{
    size_t         n;
    sg_str_t       parts[3];
    unsigned char  count, block[SG_HMAC_LEN];

    if (len > SG_HKDF_MAX || info.len > SG_HKDF_INFO) {
        return -1;
    }

    parts[0].data = block;              /* the one before, none at first */
    parts[0].len = 0;
    parts[1] = info;
    parts[2].data = &count;
    parts[2].len = 1;

    for (count = 1; len; count++) {

        if (sg_hmac(block, key, parts, 3) != 0) {
            return -1;
        }

        parts[0].len = sizeof(block);

        n = len < sizeof(block) ? len : sizeof(block);

        memcpy(out, block, n);

        out += n;
        len -= n;
    }

    OPENSSL_cleanse(block, sizeof(block));

    return 0;
}
