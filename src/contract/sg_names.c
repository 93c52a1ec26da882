
/*
 * What stands in the names of records and limits, and for a body, where nobody
 * who reads Redis is to know it.
 */

#include "contract/sg_names.h"

#include <string.h>

#include <openssl/crypto.h>


static int sg_names_make(sg_hmac_key_t *key,
    const unsigned char secret[SG_KEY_LEN], const char *label);
static int sg_names_one(unsigned char out[SG_NAMES_LEN],
    const sg_hmac_key_t *key, sg_str_t text);
static int sg_names_pair(unsigned char out[SG_HMAC_LEN],
    const sg_hmac_key_t *key, sg_str_t first, sg_str_t second);
static void sg_names_digits(unsigned char out[SG_NAMES_LEN],
    const unsigned char digest[SG_HMAC_LEN]);


int
sg_names(sg_names_t *names, const unsigned char secret[SG_KEY_LEN])
{
    memset(names, 0, sizeof(sg_names_t));

    if (sg_names_make(&names->scope, secret, "segments: scope") == 0
        && sg_names_make(&names->key, secret, "segments: key") == 0
        && sg_names_make(&names->body, secret, "segments: body") == 0
        && sg_names_make(&names->limit, secret, "segments: limit") == 0)
    {
        return 0;
    }

    sg_names_free(names);

    return -1;
}


void
sg_names_free(sg_names_t *names)
{
    sg_hmac_key_free(&names->scope);
    sg_hmac_key_free(&names->key);
    sg_hmac_key_free(&names->body);
    sg_hmac_key_free(&names->limit);
}


static int
sg_names_make(sg_hmac_key_t *key, const unsigned char secret[SG_KEY_LEN],
    const char *label)
{
    int            rc;
    sg_str_t       text, none, info;
    unsigned char  own[SG_KEY_LEN];

    text.data = secret;
    text.len = SG_KEY_LEN;
    none.data = NULL;
    none.len = 0;
    info.data = (const unsigned char *) label;
    info.len = strlen(label);

    rc = sg_hkdf(own, SG_KEY_LEN, text, none, info);

    if (rc == 0) {
        text.data = own;
        rc = sg_hmac_key(key, text);
    }

    OPENSSL_cleanse(own, sizeof(own));

    return rc;
}


int
sg_names_scope(unsigned char out[SG_NAMES_LEN], const sg_names_t *names,
    sg_str_t scope)
{
    return sg_names_one(out, &names->scope, scope);
}


int
sg_names_limit(unsigned char out[SG_NAMES_LEN], const sg_names_t *names,
    sg_str_t value)
{
    return sg_names_one(out, &names->limit, value);
}


static int
sg_names_one(unsigned char out[SG_NAMES_LEN], const sg_hmac_key_t *key,
    sg_str_t text)
{
    unsigned char  digest[SG_HMAC_LEN];

    if (sg_hmac(digest, key, &text, 1) != 0) {
        return -1;
    }

    sg_names_digits(out, digest);

    return 0;
}


int
sg_names_key(unsigned char out[SG_NAMES_LEN], const sg_names_t *names,
    sg_str_t scope, sg_str_t key)
{
    unsigned char  digest[SG_HMAC_LEN];

    if (sg_names_pair(digest, &names->key, scope, key) != 0) {
        return -1;
    }

    sg_names_digits(out, digest);

    return 0;
}


int
sg_names_body(unsigned char out[SG_HMAC_LEN], const sg_names_t *names,
    sg_str_t record, sg_str_t fingerprint)
{
    return sg_names_pair(out, &names->body, record, fingerprint);
}


/* the length of the first stands in front: no two pairs are one text */

static int
sg_names_pair(unsigned char out[SG_HMAC_LEN], const sg_hmac_key_t *key,
    sg_str_t first, sg_str_t second)
{
    size_t         i, len;
    sg_str_t       parts[3];
    unsigned char  length[8];

    len = first.len;

    for (i = sizeof(length); i; i--) {
        length[i - 1] = (unsigned char) len;
        len >>= 8;
    }

    parts[0].data = length;
    parts[0].len = sizeof(length);
    parts[1] = first;
    parts[2] = second;

    return sg_hmac(out, key, parts, 3);
}


/* half of it: as many bits as nobody will ever see twice */

static void
sg_names_digits(unsigned char out[SG_NAMES_LEN],
    const unsigned char digest[SG_HMAC_LEN])
{
    size_t  i;

    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < SG_NAMES_LEN / 2; i++) {
        out[2 * i] = (unsigned char) hex[digest[i] >> 4];
        out[2 * i + 1] = (unsigned char) hex[digest[i] & 0xf];
    }
}
