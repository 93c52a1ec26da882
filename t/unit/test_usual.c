
#include "test.h"

#include "contract/sg_usual.h"


#define USUAL  "{\"metric\":\"m\",\"comparator\":\"eq\",\"value\":\"\""


static void
usual(void **state)
{
    static const struct {
        const char  *text;
        sg_kind_e    negate;
    } rows[] = {
        { USUAL "}", sg_absent },
        { USUAL ",\"negate\":true}", sg_true },
        { USUAL ",\"negate\":false}", sg_false }
    };

    size_t                i, len;
    sg_str_t              text, exact;
    sg_unit_t             unit;
    const unsigned char  *rest;

    (void) state;

    for (i = 0; i < N(rows); i++) {

        text = str(rows[i].text);

        /* cut anywhere it is none */

        for (len = 0; len <= str(rows[i].text).len; len++) {
            text.len = len;
            exact = str_exact(text);

            rest = sg_usual_condition(exact.data, exact.data + len, &unit);

            if (rows[i].text[len] == '\0') {
                assert_ptr_equal(rest, exact.data + len);

                check_int(rows[i].text, unit.children[SG_NEGATE].kind,
                          rows[i].negate);
                check_str(rows[i].text, unit.children[SG_METRIC].text, "m");
                check_str(rows[i].text, unit.children[SG_COMPARATOR].text,
                          "eq");
                check_str(rows[i].text, unit.children[SG_VALUE].text, "");

            } else {
                assert_null(rest);
            }

            str_exact_free(exact);
        }
    }
}


static void
others(void **state)
{
    static const char *const  rows[] = {
        "{}",
        "null",
        " " USUAL "}",
        USUAL " }",
        USUAL ",\"negate\":null}",
        USUAL ",\"negate\":true }",
        USUAL ",\"negate\":true,\"negate\":true}",
        USUAL ",\"other\":true}",
        "{\"metric\": \"m\",\"comparator\":\"eq\",\"value\":\"\"}",
        "{\"metric\":\"\\n\",\"comparator\":\"eq\",\"value\":\"\"}",
        "{\"metric\":\"\xc3\xa9\",\"comparator\":\"eq\",\"value\":\"\"}",
        "{\"metric\":\"\x01\",\"comparator\":\"eq\",\"value\":\"\"}",
        "{\"metric\":\"m\",\"value\":\"\",\"comparator\":\"eq\"}",
        "{\"metric\":\"m\",\"comparator\":\"eq\",\"value\":null}"
    };

    size_t     i;
    sg_str_t   exact;
    sg_unit_t  unit;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i]));
        check_int(rows[i], sg_usual_condition(exact.data,
                                              exact.data + exact.len, &unit)
                           == NULL, 1);
        str_exact_free(exact);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(usual),
        cmocka_unit_test(others)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
