
/*
 * What was never sealed is not opened, and what was sealed is opened as it was,
 * unless a bit of it has changed.  A key file's text is a key or is not, and is
 * the same key in digits.
 *
 * The first byte of the input says where the headers end, the second which byte
 * is changed; SG_SEAL bytes are a seal, and the rest is an answer.
 */

#include "fuzz.h"

#include "contract/sg_seal.h"


static void
check_key(sg_str_t text)
{
    size_t         i;
    unsigned char  key[SG_KEY_LEN], again[SG_KEY_LEN];
    unsigned char  hex[2 * SG_KEY_LEN + 1];

    if (sg_key_text(key, text) != sg_key_text_ok) {
        return;
    }

    for (i = 0; i < SG_KEY_LEN; i++) {
        snprintf((char *) hex + 2 * i, 3, "%02x", key[i]);
    }

    MUST(sg_key_text(again, fuzz_str(hex, 2 * SG_KEY_LEN)) == sg_key_text_ok);
    MUST(memcmp(key, again, sizeof(key)) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            len, cut;
    uint8_t          *sealed, *opened;
    sg_sealed_t       answer;
    unsigned char     seal[SG_SEAL];
    sg_sealing_key_t  key;

    static const unsigned char  secret[SG_KEY_LEN] = "a secret";

    check_key(fuzz_str(data, size));

    if (size < 2 + SG_SEAL) {
        return 0;
    }

    len = size - 2 - SG_SEAL;
    cut = len ? data[0] % (len + 1) : 0;

    sealed = malloc(len ? len : 1);
    opened = malloc(len ? len : 1);
    MUST(sealed && opened);

    MUST(sg_sealing_key(&key, secret) == 0);

    answer.name = fuzz_str(data, 2);
    answer.head = fuzz_str(data + 2, SG_SEAL);
    answer.headers = fuzz_str(data + 2 + SG_SEAL, cut);
    answer.body = fuzz_str(data + 2 + SG_SEAL + cut, len - cut);

    memcpy(seal, data + 2, SG_SEAL);
    MUST(sg_open(opened, seal, &key, &answer) == -1);

    memcpy(seal, key.id, SG_SEAL_ID);
    MUST(sg_open(opened, seal, &key, &answer) == -1);

    MUST(sg_seal(sealed, seal, &key, &answer) == 0);

    answer.headers.data = sealed;
    answer.body.data = sealed + cut;

    MUST(sg_open(opened, seal, &key, &answer) == 0);
    MUST(len == 0 || memcmp(opened, data + 2 + SG_SEAL, len) == 0);

    seal[data[1] % SG_SEAL] ^= 1;
    MUST(sg_open(opened, seal, &key, &answer) == -1);
    seal[data[1] % SG_SEAL] ^= 1;

    if (len) {
        sealed[data[1] % len] ^= 1;
        MUST(sg_open(opened, seal, &key, &answer) == -1);
    }

    sg_sealing_key_free(&key);
    free(sealed);
    free(opened);

    return 0;
}
