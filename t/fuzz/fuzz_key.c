
/*
 * A key that was accepted is the same key in its other spellings, never more
 * than one, and fit for the upstream's header and for a record's name.
 */

#include "fuzz.h"

#include "contract/sg_idempotency_key.h"


static void
check_spelling(sg_str_t text, sg_str_t key, int same)
{
    size_t          n;
    unsigned char   other[SG_IDEMPOTENCY_KEY_MAX];

    n = sg_idempotency_key_parse(other, text);

    if (!same) {
        MUST(n == 0);
        return;
    }

    MUST(sg_str_eq(fuzz_str(other, n), key));
}


/* returns 1 when the key needs no quotes */

static int
quote(sg_buf_t *out, sg_str_t key)
{
    int     bare;
    size_t  i;

    bare = 1;
    sg_buf_add_cstr(out, " \"");

    for (i = 0; i < key.len; i++) {

        if (key.data[i] == '"' || key.data[i] == '\\') {
            sg_buf_add_cstr(out, "\\");
        }

        if (strchr(" \",;\\", key.data[i])) {
            bare = 0;
        }

        sg_buf_add(out, key.data + i, 1);
    }

    sg_buf_add_cstr(out, "\"\t");

    return bare;
}


static void
check_upstream_key(sg_str_t key)
{
    size_t         i;
    unsigned char  out[SG_UPSTREAM_KEY_LEN], fingerprint[SG_FINGERPRINT_LEN];

    memset(fingerprint, 0xff, sizeof(fingerprint));

    MUST(sg_upstream_key(out, key, sg_op_create, key, fingerprint) == 0);

    for (i = 0; i < sizeof(out); i++) {

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            MUST(out[i] == '-');

        } else {
            MUST(strchr("0123456789abcdef", out[i]) != NULL);
        }
    }

    MUST(out[14] == '8');
    MUST(strchr("89ab", out[19]) != NULL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         i, n;
    sg_buf_t       text;
    sg_str_t       key, value;
    unsigned char  bytes[SG_IDEMPOTENCY_KEY_MAX];

    value = fuzz_str(data, size);

    n = sg_idempotency_key_parse(bytes, value);
    if (n == 0) {
        return 0;
    }

    MUST(n <= SG_IDEMPOTENCY_KEY_MAX);

    for (i = 0; i < n; i++) {
        MUST(bytes[i] >= 0x20 && bytes[i] < 0x7f);
    }

    key = fuzz_str(bytes, n);
    sg_buf_init(&text);

    if (quote(&text, key)) {
        check_spelling(key, key, 1);
    }

    check_spelling(fuzz_buf_str(&text), key, 1);

    /* what two header lines make, and parameters */

    text.len = 0;
    sg_buf_add_str(&text, value);
    sg_buf_add_cstr(&text, ", ");
    sg_buf_add_str(&text, value);
    check_spelling(fuzz_buf_str(&text), key, 0);

    text.len = 0;
    sg_buf_add_str(&text, value);
    sg_buf_add_cstr(&text, ";a");
    check_spelling(fuzz_buf_str(&text), key, 0);

    sg_buf_free(&text);
    check_upstream_key(key);

    return 0;
}
