
#include "test.h"

#include "contract/sg_names.h"


/*
 * Made by another implementation, Python's "cryptography" and hmac: keys by
 * HKDF(SHA256(), 32, None, b'segments: scope').derive(bytes(range(32))), and so
 * for "segments: key" and "segments: body"; a pair is pack('>Q', len(a)) + a +
 * b.
 */

static const unsigned char  secret[SG_KEY_LEN] =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
    "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";


static void
vectors(void **state)
{
    sg_names_t     names;
    unsigned char  digits[SG_NAMES_LEN], body[SG_HMAC_LEN];

    /* of {} */

    static const sg_str_t       fingerprint = sg_string(
        "\x44\x13\x6f\xa3\x55\xb3\x67\x8a\x11\x46\xad\x16\xf7\xe8\x64\x9e"
        "\x94\xfb\x4f\xc2\x1f\xe7\x7e\x83\x10\xc0\x60\xf6\x1c\xaa\xff\x8a");

    static const unsigned char  expected[SG_HMAC_LEN] =
        "\x33\x0d\xd8\xed\xd3\xf6\x13\xba\x35\x3a\x3e\x11\xd2\xe6\x8c\x9a"
        "\x4d\x1f\x27\x0a\x1b\xc8\x52\x5e\x72\x96\x79\x67\xfb\x00\x0d\x57";

    (void) state;

    assert_int_equal(sg_names(&names, secret), 0);

    assert_int_equal(sg_names_scope(digits, &names, STR("alice")), 0);
    assert_memory_equal(digits, "5da5f0e238cd2d5a11426b9ba5b3b66b",
                        SG_NAMES_LEN);

    assert_int_equal(sg_names_scope(digits, &names, STR("")), 0);
    assert_memory_equal(digits, "c7834803b595d71f94cd61809f81f3f1",
                        SG_NAMES_LEN);

    assert_int_equal(sg_names_key(digits, &names, STR("alice"), STR("k1")),
                     0);
    assert_memory_equal(digits, "b08465c8cbbdf90b6355053abee583d3",
                        SG_NAMES_LEN);

    assert_int_equal(sg_names_key(digits, &names, STR("alicek"), STR("1")),
                     0);
    assert_memory_equal(digits, "14b87f589d6073d92ea7d0dc8cd733b0",
                        SG_NAMES_LEN);

    assert_int_equal(sg_names_body(body, &names,
                                   STR("segments:{live:alice}:create:k1"),
                                   fingerprint),
                     0);
    assert_memory_equal(body, expected, sizeof(body));

    sg_names_free(&names);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(vectors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
