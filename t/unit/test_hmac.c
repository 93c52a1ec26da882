
#include "test.h"

#include "contract/sg_hmac.h"


static sg_str_t
repeated(unsigned char *room, unsigned char byte, size_t n)
{
    sg_str_t  s;

    memset(room, byte, n);
    s.data = room;
    s.len = n;

    return s;
}


static sg_str_t
counted(unsigned char *room, unsigned char from, size_t n)
{
    size_t    i;
    sg_str_t  s;

    for (i = 0; i < n; i++) {
        room[i] = (unsigned char) (from + i);
    }

    s.data = room;
    s.len = n;

    return s;
}


static void
check_hex(const char *row, const unsigned char *got, size_t len,
    const char *expected)
{
    char    text[2 * 100 + 1];
    size_t  i;

    for (i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    }

    check_str(row, str(text), expected);
}


static int
hmac(unsigned char *out, sg_str_t secret, const sg_str_t *parts, size_t n)
{
    int            rc;
    sg_hmac_key_t  key;
    unsigned char  first[SG_HMAC_LEN];

    assert_int_equal(sg_hmac_key(&key, secret), 0);

    /* a key serves more than once, and other digests do not disturb it */

    rc = sg_hmac(first, &key, parts, n);
    sg_sha256_free();
    assert_int_equal(sg_hmac(out, &key, parts, n), rc);
    assert_memory_equal(out, first, SG_HMAC_LEN);

    sg_hmac_key_free(&key);
    sg_hmac_key_free(&key);

    return rc;
}


/* RFC 4231, 4.2 to 4.4 and 4.7 */

static void
hmacs(void **state)
{
    size_t         i;
    sg_str_t       parts[3];
    unsigned char  room[256], more[256], out[SG_HMAC_LEN];

    (void) state;

    parts[0] = STR("Hi There");
    assert_int_equal(hmac(out, repeated(room, 0x0b, 20), parts, 1), 0);
    check_hex("1", out, sizeof(out),
              "b0344c61d8db38535ca8afceaf0bf12b"
              "881dc200c9833da726e9376c2e32cff7");

    /* however it is cut */

    parts[0] = STR("what do ya");
    parts[1] = STR("");
    parts[2] = STR(" want for nothing?");
    assert_int_equal(hmac(out, STR("Jefe"), parts, 3), 0);
    check_hex("2", out, sizeof(out),
              "5bdcc146bf60754e6a042426089575c7"
              "5a003f089d2739839dec58b964ec3843");

    parts[0] = repeated(more, 0xdd, 50);
    assert_int_equal(hmac(out, repeated(room, 0xaa, 20), parts, 1), 0);
    check_hex("3", out, sizeof(out),
              "773ea91e36800e46854db8ebd09181a7"
              "2959098b3ef8c122d9635514ced565fe");

    parts[0] = STR("Test Using Larger Than Block-Size Key - Hash Key First");
    assert_int_equal(hmac(out, repeated(room, 0xaa, 131), parts, 1), 0);
    check_hex("6", out, sizeof(out),
              "60e431591ee0b67f0d8a26aacbf5b77f"
              "8e0bc6213728c5140546040f0ee37f54");

    /* nothing, with nothing */

    for (i = 0; i < 2; i++) {
        assert_int_equal(hmac(out, STR(""), parts, 0), 0);
        check_hex("empty", out, sizeof(out),
                  "b613679a0814d9ec772f95d778c35fc5"
                  "ff1697c493715653c6c712144292c5ad");
        sg_sha256_free();
    }
}


/* RFC 5869, A.1 to A.3 */

static void
hkdfs(void **state)
{
    unsigned char  secret[80], salt[80], info[80], out[82];

    (void) state;

    assert_int_equal(sg_hkdf(out, 42, repeated(secret, 0x0b, 22),
                             counted(salt, 0, 13), counted(info, 0xf0, 10)),
                     0);
    check_hex("A.1", out, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c"
              "5db02d56ecc4c5bf34007208d5b887185865");

    assert_int_equal(sg_hkdf(out, 42, repeated(secret, 0x0b, 22), STR(""),
                             STR("")),
                     0);
    check_hex("A.3", out, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879e"
              "c3454e5f3c738d2d9d201395faa4b61a96c8");

    /* the bounds */

    assert_int_equal(sg_hkdf(out, 10, repeated(secret, 1, 32), STR(""),
                             repeated(info, 1, SG_HKDF_INFO + 1)), -1);
    assert_int_equal(sg_hkdf(out, SG_HKDF_MAX + 1, repeated(secret, 1, 32),
                             STR(""), STR("")), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(hmacs),
        cmocka_unit_test(hkdfs)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
