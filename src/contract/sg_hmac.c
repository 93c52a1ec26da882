
/*
 * HMAC-SHA-256, and the keys that HKDF makes of one.  OpenSSL's own would look
 * up the algorithm with each call, which takes longer than a short text.
 */

#include "contract/sg_hmac.h"

#include <string.h>

#include <openssl/crypto.h>


#define SG_HMAC_BLOCK  64               /* bytes that SHA-256 takes at once */


static int sg_hmac_digest(unsigned char out[SG_HMAC_LEN],
    const unsigned char block[SG_HMAC_BLOCK], const sg_str_t *parts, size_t n);
static void sg_hmac_xor(unsigned char block[SG_HMAC_BLOCK],
    unsigned char byte);


int
sg_hmac(unsigned char out[SG_HMAC_LEN], sg_str_t key, const sg_str_t *parts,
    size_t n)
{
    int            rc;
    sg_str_t       inner;
    unsigned char  block[SG_HMAC_BLOCK], digest[SG_HMAC_LEN];

    memset(block, 0, sizeof(block));

    if (key.len > sizeof(block)) {

        if (sg_sha256(block, key.data, key.len) != 0) {
            return -1;
        }

    } else if (key.len) {
        memcpy(block, key.data, key.len);
    }

    inner.data = digest;
    inner.len = sizeof(digest);

    sg_hmac_xor(block, 0x36);
    rc = sg_hmac_digest(digest, block, parts, n);

    if (rc == 0) {
        sg_hmac_xor(block, 0x36 ^ 0x5c);
        rc = sg_hmac_digest(out, block, &inner, 1);
    }

    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(digest, sizeof(digest));

    return rc;
}


static int
sg_hmac_digest(unsigned char out[SG_HMAC_LEN],
    const unsigned char block[SG_HMAC_BLOCK], const sg_str_t *parts, size_t n)
{
    size_t  i;

    if (sg_sha256_begin() != 0 || sg_sha256_add(block, SG_HMAC_BLOCK) != 0) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        if (parts[i].len && sg_sha256_add(parts[i].data, parts[i].len) != 0) {
            return -1;
        }
    }

    return sg_sha256_end(out);
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
    unsigned char  key[SG_HMAC_LEN];

    rc = sg_hmac(key, salt, &secret, 1);

    if (rc == 0) {
        rc = sg_hkdf_expand(out, len, key, info);
    }

    OPENSSL_cleanse(key, sizeof(key));

    return rc;
}


int
sg_hkdf_expand(unsigned char *out, size_t len,
    const unsigned char secret[SG_HMAC_LEN], sg_str_t info)
{
    size_t         n;
    sg_str_t       key, parts[3];
    unsigned char  count, block[SG_HMAC_LEN];

    if (len > SG_HKDF_MAX || info.len > SG_HKDF_INFO) {
        return -1;
    }

    key.data = secret;
    key.len = SG_HMAC_LEN;

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
