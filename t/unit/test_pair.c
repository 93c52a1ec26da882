
#include "test.h"

#include "contract/sg_pair.h"


static void
same(const unsigned char *text, size_t len)
{
    assert_ptr_equal(sg_pair_find(text, text + len, 's', 'k'),
                     sg_pair_find_bytes(text, text + len, 's', 'k'));
}


/* pairs, halves and doubled ones at each place around a vector's length */

static void
as_byte_by_byte(void **state)
{
    size_t          at, first, len;
    unsigned char  *text;

    (void) state;

    for (len = 0; len < 70; len++) {

        text = malloc(len ? len : 1);   /* as long as it has to be */
        assert_non_null(text);
        memset(text, 'x', len);

        same(text, len);

        for (at = 0; at < len; at++) {
            text[at] = 's';
            same(text, len);

            for (first = 0; first < len; first++) {
                if (first != at) {
                    text[first] = 'k';
                    same(text, len);
                    text[first] = 's';
                    same(text, len);
                    text[first] = 'x';
                }
            }

            text[at] = 'x';
        }

        free(text);
    }
}


static void
found(void **state)
{
    static const struct {
        const char  *text;
        size_t       at;
    } rows[] = {
        { "", 0 },
        { "s", 0 },                     /* more may follow */
        { "k", 1 },
        { "sk", 0 },
        { "ssk", 1 },
        { "ks", 1 },
        { "sxxk", 4 },
        { "risk and task", 2 },
        { "0123456789abcdesk", 15 },
        { "0123456789abcdefsk", 16 },
        { "0123456789abcdefghijklmnopqr\xff\x80 sk", 31 }
    };

    size_t    i;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i].text));

        check_int(rows[i].text,
                  sg_pair_find(exact.data, exact.data + exact.len, 's', 'k')
                  - exact.data,
                  (long long) rows[i].at);

        same(exact.data, exact.len);
        str_exact_free(exact);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(as_byte_by_byte),
        cmocka_unit_test(found)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
