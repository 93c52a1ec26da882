
#include "test.h"

#include "contract/sg_text.h"


/* what is encoded is one sequence, whatever stands behind it */

static void
code_points(void **state)
{
    size_t         n, expected;
    unsigned       code;
    unsigned char  text[5];

    (void) state;

    for (code = 0x80; code <= 0x10ffff; code++) {

        memset(text, 0x80, sizeof(text));
        n = sg_text_encode(text, code);

        expected = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        assert_int_equal(n, expected);

        if (code >= 0xd800 && code <= 0xdfff) {
            expected = 0;               /* surrogates */
        }

        assert_int_equal(sg_text_utf8(text, text + sizeof(text)), expected);
        assert_int_equal(sg_text_utf8(text, text + n), expected);
        assert_int_equal(sg_text_utf8(text, text + n - 1), 0);
    }

    assert_int_equal(sg_text_encode(text, 'A'), 1);
    assert_int_equal(text[0], 'A');
}


static void
malformed(void **state)
{
    size_t  i;

    static const sg_str_t  rows[] = {
        sg_string("\x80\x80\x80\x80"),          /* begins in the middle */
        sg_string("\xc0\xaf"),                  /* longer than needed */
        sg_string("\xc1\xbf"),
        sg_string("\xe0\x9f\xbf"),
        sg_string("\xf0\x8f\xbf\xbf"),
        sg_string("\xf4\x90\x80\x80"),          /* beyond U+10FFFF */
        sg_string("\xf5\x80\x80\x80"),
        sg_string("\xff"),
        sg_string("\xc3" "A"),
        sg_string("\xe2\x82" "A"),
        sg_string("\xf0\x9f\x98" "A")
    };

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_int("malformed",
                  (long long) sg_text_utf8(rows[i].data,
                                           rows[i].data + rows[i].len), 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(code_points),
        cmocka_unit_test(malformed)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
