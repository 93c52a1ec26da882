
#include "test.h"

#include "contract/sg_string.h"


/* each byte at each place of strings around the length of a vector */

static void
plain_as_byte_by_byte(void **state)
{
    size_t          at, len;
    unsigned        ch;
    unsigned char  *text;

    (void) state;

    for (len = 0; len < 40; len++) {

        text = malloc(len ? len : 1);   /* as long as it has to be */
        assert_non_null(text);
        memset(text, 'x', len);

        assert_int_equal(sg_string_plain(text, text + len), len);
        assert_int_equal(sg_string_plain_bytes(text, text + len), len);

        for (at = 0; at < len; at++) {

            for (ch = 0; ch < 256; ch++) {
                text[at] = (unsigned char) ch;

                assert_int_equal(sg_string_plain(text, text + len),
                                 sg_string_plain_bytes(text, text + len));
            }

            text[at] = 'x';
        }

        free(text);
    }
}


static void
plain_bytes(void **state)
{
    int            plain;
    unsigned       ch;
    unsigned char  text[1];

    (void) state;

    for (ch = 0; ch < 256; ch++) {
        text[0] = (unsigned char) ch;
        plain = ch >= 0x20 && ch < 0x80 && ch != '"' && ch != '\\';

        check_int("plain", (long long) sg_string_plain_bytes(text, text + 1),
                  plain);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(plain_as_byte_by_byte),
        cmocka_unit_test(plain_bytes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
