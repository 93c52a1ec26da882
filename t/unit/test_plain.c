
#include "test.h"

#include "contract/sg_plain.h"


/* each byte at each place of texts around the length of a step */

static void
as_byte_by_byte(void **state)
{
    size_t          at, len;
    unsigned        ch;
    unsigned char  *text;

    (void) state;

    for (len = 0; len < 40; len++) {

        text = malloc(len ? len : 1);   /* as long as it has to be */
        assert_non_null(text);
        memset(text, 'x', len);

        assert_int_equal(sg_plain(text, text + len), len);
        assert_int_equal(sg_plain_bytes(text, text + len), len);

        for (at = 0; at < len; at++) {

            for (ch = 0; ch < 256; ch++) {
                text[at] = (unsigned char) ch;

                assert_int_equal(sg_plain(text, text + len),
                                 sg_plain_bytes(text, text + len));
            }

            text[at] = 'x';
        }

        free(text);
    }
}


static size_t
step(const unsigned char *p)
{
    uint64_t  marks;

    marks = sg_plain_marks(p);

    return marks ? sg_plain_first(marks) : SG_PLAIN_STEP;
}


/* each byte at each place of a step, wherever it begins, with another that is
   not plain at its end; the others are at either end of what is plain */

static void
step_as_byte_by_byte(void **state)
{
    size_t         at, offset;
    unsigned       ch, others;
    unsigned char  text[2 * SG_PLAIN_STEP], *p;

    (void) state;

    for (others = ' '; others <= 0x7f; others += 0x7f - ' ') {

        memset(text, (int) others, sizeof(text));

        for (offset = 0; offset < SG_PLAIN_STEP; offset++) {
            p = text + offset;

            assert_int_equal(step(p), SG_PLAIN_STEP);

            for (at = 0; at < SG_PLAIN_STEP; at++) {

                for (ch = 0; ch < 256; ch++) {
                    p[at] = (unsigned char) ch;
                    p[SG_PLAIN_STEP - 1] ^= (at < SG_PLAIN_STEP - 1) * 0x80;

                    assert_int_equal(step(p),
                                     sg_plain_bytes(p, p + SG_PLAIN_STEP));

                    p[SG_PLAIN_STEP - 1] = (unsigned char) others;
                }

                p[at] = (unsigned char) others;
            }
        }
    }
}


static void
as_bytes(void **state)
{
    int            plain;
    unsigned       ch;
    unsigned char  text[1];

    (void) state;

    for (ch = 0; ch < 256; ch++) {
        text[0] = (unsigned char) ch;
        plain = ch >= 0x20 && ch < 0x80 && ch != '"' && ch != '\\';

        check_int("plain", (long long) sg_plain_bytes(text, text + 1), plain);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(as_byte_by_byte),
        cmocka_unit_test(step_as_byte_by_byte),
        cmocka_unit_test(as_bytes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
