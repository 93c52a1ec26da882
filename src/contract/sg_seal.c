
/*
 * Stored answers, sealed.
 */

#include "contract/sg_seal.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>


#define SG_SEAL_NONCE  12               /* bytes, all of them zero */
#define SG_SEAL_SALTS  64

#define SG_SEAL_SALT_AT  SG_SEAL_ID
#define SG_SEAL_TAG_AT   (SG_SEAL_ID + SG_SEAL_SALT)


static int sg_seal_begin(const unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer, int encrypt);
static int sg_seal_cipher(const unsigned char key[SG_KEY_LEN], int encrypt);
static int sg_seal_clear(const unsigned char seal[SG_SEAL],
    const sg_sealed_t *answer);
static int sg_seal_clear_part(sg_str_t part);
static int sg_seal_parts(unsigned char *out, const sg_sealed_t *answer);


static const sg_str_t  sg_seal_label_id = sg_string("segments: key id");
static const sg_str_t  sg_seal_label_key = sg_string("segments: sealing key");
static const char      sg_seal_label_answer[] = "segments: answer";


/* one that knows its cipher, as sg_sha256.c has one that knows its digest */
static EVP_CIPHER_CTX  *sg_seal_ctx;


int
sg_sealing_key(sg_sealing_key_t *key, const unsigned char secret[SG_KEY_LEN])
{
    int            rc;
    sg_str_t       text, none;
    unsigned char  own[SG_KEY_LEN];

    memset(key, 0, sizeof(sg_sealing_key_t));

    text.data = secret;
    text.len = SG_KEY_LEN;
    none.data = NULL;
    none.len = 0;

    rc = sg_hkdf(key->id, SG_SEAL_ID, text, none, sg_seal_label_id);

    if (rc == 0) {
        rc = sg_hkdf(own, SG_KEY_LEN, text, none, sg_seal_label_key);
    }

    if (rc == 0) {
        text.data = own;
        rc = sg_hmac_key(&key->hmac, text);
    }

    OPENSSL_cleanse(own, sizeof(own));

    return rc;
}


void
sg_sealing_key_free(sg_sealing_key_t *key)
{
    sg_hmac_key_free(&key->hmac);
}


int
sg_seal(unsigned char *out, unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer)
{
    /* so many at once cost OpenSSL little more than one */

    static unsigned char  salt[SG_SEAL_SALTS][SG_SEAL_SALT];
    static size_t         left;

    if (left == 0) {

        if (RAND_bytes(salt[0], sizeof(salt)) != 1) {
            return -1;
        }

        left = SG_SEAL_SALTS;
    }

    memcpy(seal + SG_SEAL_SALT_AT, salt[--left], SG_SEAL_SALT);

    return sg_seal_salted(out, seal, key, answer);
}


int
sg_seal_salted(unsigned char *out, unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer)
{
    int            n;
    unsigned char  none[1];

    memcpy(seal, key->id, SG_SEAL_ID);

    return sg_seal_begin(seal, key, answer, 1) == 0
           && sg_seal_parts(out, answer) == 0
           && EVP_CipherFinal_ex(sg_seal_ctx, none, &n)
           && EVP_CIPHER_CTX_ctrl(sg_seal_ctx, EVP_CTRL_GCM_GET_TAG,
                                  SG_SEAL_TAG, seal + SG_SEAL_TAG_AT)
           ? 0 : -1;
}


int
sg_seal_is_of(const unsigned char seal[SG_SEAL_ID],
    const sg_sealing_key_t *key)
{
    return memcmp(seal, key->id, SG_SEAL_ID) == 0;
}


int
sg_open(unsigned char *out, const unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer)
{
    int            n;
    unsigned char  tag[SG_SEAL_TAG], none[1];

    memcpy(tag, seal + SG_SEAL_TAG_AT, SG_SEAL_TAG);

    if (sg_seal_is_of(seal, key)
        && sg_seal_begin(seal, key, answer, 0) == 0
        && sg_seal_parts(out, answer) == 0
        && EVP_CIPHER_CTX_ctrl(sg_seal_ctx, EVP_CTRL_GCM_SET_TAG,
                               SG_SEAL_TAG, tag)
        && EVP_CipherFinal_ex(sg_seal_ctx, none, &n) == 1)
    {
        return 0;
    }

    if (answer->headers.len + answer->body.len) {
        memset(out, 0, answer->headers.len + answer->body.len);
    }

    return -1;
}


static int
sg_seal_begin(const unsigned char seal[SG_SEAL], const sg_sealing_key_t *key,
    const sg_sealed_t *answer, int encrypt)
{
    int            rc;
    sg_str_t       info;
    unsigned char  own[SG_KEY_LEN];
    unsigned char  text[sizeof(sg_seal_label_answer) - 1 + SG_SEAL_SALT];

    if (answer->headers.len > INT_MAX
        || answer->body.len > INT_MAX - answer->headers.len)
    {
        return -1;
    }

    memcpy(text, sg_seal_label_answer, sizeof(sg_seal_label_answer) - 1);
    memcpy(text + sizeof(sg_seal_label_answer) - 1, seal + SG_SEAL_SALT_AT,
           SG_SEAL_SALT);

    info.data = text;
    info.len = sizeof(text);

    rc = sg_hkdf_expand(own, SG_KEY_LEN, &key->hmac, info);

    if (rc == 0) {
        rc = sg_seal_cipher(own, encrypt);
    }

    OPENSSL_cleanse(own, sizeof(own));

    return rc == 0 ? sg_seal_clear(seal, answer) : -1;
}


static int
sg_seal_cipher(const unsigned char key[SG_KEY_LEN], int encrypt)
{
    const EVP_CIPHER  *cipher;

    static const unsigned char  nonce[SG_SEAL_NONCE];

    cipher = NULL;                      /* the context's */

    if (sg_seal_ctx == NULL) {

        sg_seal_ctx = EVP_CIPHER_CTX_new();
        if (sg_seal_ctx == NULL) {
            return -1;
        }

        cipher = EVP_aes_256_gcm();
    }

    /* an IV of 12 bytes is what GCM takes by default */

    if (EVP_CipherInit_ex(sg_seal_ctx, cipher, NULL, key, nonce, encrypt)) {
        return 0;
    }

    sg_seal_free();

    return -1;
}


/* each with its length in front: none can take from another */

static int
sg_seal_clear(const unsigned char seal[SG_SEAL], const sg_sealed_t *answer)
{
    sg_str_t  begin;

    begin.data = seal;
    begin.len = SG_SEAL_TAG_AT;

    return sg_seal_clear_part(answer->name) == 0
           && sg_seal_clear_part(answer->head) == 0
           && sg_seal_clear_part(begin) == 0
           ? 0 : -1;
}


static int
sg_seal_clear_part(sg_str_t part)
{
    int            n;
    unsigned char  len[4];

    if (part.len > INT_MAX) {
        return -1;
    }

    len[0] = (unsigned char) (part.len >> 24);
    len[1] = (unsigned char) (part.len >> 16);
    len[2] = (unsigned char) (part.len >> 8);
    len[3] = (unsigned char) part.len;

    return EVP_CipherUpdate(sg_seal_ctx, NULL, &n, len, sizeof(len))
           && (part.len == 0
               || EVP_CipherUpdate(sg_seal_ctx, NULL, &n, part.data,
                                   (int) part.len))
           ? 0 : -1;
}


static int
sg_seal_parts(unsigned char *out, const sg_sealed_t *answer)
{
    int  n;

    if (answer->headers.len
        && !EVP_CipherUpdate(sg_seal_ctx, out, &n, answer->headers.data,
                             (int) answer->headers.len))
    {
        return -1;
    }

    out += answer->headers.len;

    if (answer->body.len
        && !EVP_CipherUpdate(sg_seal_ctx, out, &n, answer->body.data,
                             (int) answer->body.len))
    {
        return -1;
    }

    return 0;
}


void
sg_seal_free(void)
{
    EVP_CIPHER_CTX_free(sg_seal_ctx);
    sg_seal_ctx = NULL;
}
