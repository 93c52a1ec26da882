
#include "test.h"

#include "contract/sg_ratelimit.h"


static void
lists(void **state)
{
    sg_buf_t  policy, left;

    (void) state;

    sg_buf_init(&policy);
    sg_buf_init(&left);

    sg_ratelimit_policy(&policy, STR("client"), 0, 11, 60);
    sg_ratelimit_left(&left, STR("client"), 0, 10, 6);
    check_buf("policy", &policy, "\"client\";q=11;w=60");
    check_buf("left", &left, "\"client\";r=10;t=6");

    sg_ratelimit_policy(&policy, STR("all"), 2, 100001, 8640086400ULL);
    sg_ratelimit_left(&left, STR("all"), 2, 0, 0);
    check_buf("policies", &policy,
              "\"client\";q=11;w=60, \"all-2\";q=100001;w=8640086400");
    check_buf("both left", &left, "\"client\";r=10;t=6, \"all-2\";r=0;t=0");

    sg_buf_free(&policy);
    sg_buf_free(&left);
}


static void
members(void **state)
{
    static const struct {
        const char  *field;
        int          has;
    } rows[] = {
        { "\"a\"", 1 },
        { "\"a\";q=1;w=2", 1 },
        { "\"a\" ;q=1", 1 },
        { " \t\"a\"", 1 },
        { "\"b\";q=1, \"a\";q=1", 1 },
        { "\"b\",\"a\"", 1 },
        { "\"b, \";q=1,\"a\"", 1 },
        { "\"b\\\", \";q=1,\"a\"", 1 },
        { "b;x=\"a\",a;q=1", 1 },
        { "a", 1 },
        { "a;q=1", 1 },
        { "b, a", 1 },
        { "a, b", 1 },
        { "", 0 },
        { ",,", 0 },
        { "\"", 0 },
        { "\"a", 0 },
        { "\"b\"", 0 },
        { "\"aa\"", 0 },
        { "\"A\"", 0 },
        { "aa", 0 },
        { "a=1", 0 },
        { "\"b\";a", 0 },
        { "\"b\";n=\"a\"", 0 },
        { "\"b, \\\"a\\\"\"", 0 },
        { "\"b,a", 0 },
        { "limit=100, remaining=50, reset=5", 0 },
        { "100;w=60", 0 }
    };

    size_t    i;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i].field));
        check_int(rows[i].field, sg_ratelimit_has(exact, STR("a")),
                  rows[i].has);
        str_exact_free(exact);
    }

    assert_int_equal(sg_ratelimit_has(STR("\"a\\"), STR("b")), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(members)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
