
#include "test.h"

#include "contract/sg_query.h"


#define LIMIT     ": Must be an integer from 1 to 100\n"
#define ID        ": Must be a segment id\n"
#define REPEATED  ": Must not be repeated\n"
#define UNKNOWN   ": Unknown parameter\n"
#define ESCAPED   ": Must be written without escapes\n"


static void
check(sg_operation_e operation, const char *query, int pass,
    const char *expected)
{
    int          rc;
    size_t       i;
    sg_buf_t     got;
    sg_str_t     exact;
    sg_errors_t  errors;

    sg_errors_init(&errors);
    sg_buf_init(&got);

    exact = str_exact(str(query));
    rc = sg_query_check(operation, exact, pass, &errors);
    str_exact_free(exact);

    for (i = 0; i < errors.n; i++) {
        sg_buf_add_str(&got, sg_errors_field(&errors, i));
        sg_buf_add_cstr(&got, ": ");
        sg_buf_add_cstr(&got, errors.violations[i].message);
        sg_buf_add_cstr(&got, "\n");
    }

    check_buf(query, &got, expected);
    check_int(query, rc, expected[0] ? -1 : 0);

    sg_buf_free(&got);
    sg_errors_free(&errors);
}


static void
list(void **state)
{
    static const struct {
        const char  *query;
        const char  *reject, *pass;
    } rows[] = {
        { "", "", "" },
        { "&", "", "" },
        { "limit=1", "", "" },
        { "limit=9", "", "" },
        { "limit=10", "", "" },
        { "limit=100", "", "" },
        { "limit=20&starting_after=premium-users", "", "" },
        { "starting_after=a&limit=20&", "", "" },

        { "limit", "limit" LIMIT, "limit" LIMIT },
        { "limit=", "limit" LIMIT, "limit" LIMIT },
        { "limit=0", "limit" LIMIT, "limit" LIMIT },
        { "limit=101", "limit" LIMIT, "limit" LIMIT },
        { "limit=1000", "limit" LIMIT, "limit" LIMIT },
        { "limit=4294967297", "limit" LIMIT, "limit" LIMIT },
        { "limit=-1", "limit" LIMIT, "limit" LIMIT },
        { "limit=+1", "limit" LIMIT, "limit" LIMIT },
        { "limit=%31", "limit" LIMIT, "limit" LIMIT },
        { "limit=1.0", "limit" LIMIT, "limit" LIMIT },
        { "limit=1e1", "limit" LIMIT, "limit" LIMIT },
        { "limit=010", "limit" LIMIT, "limit" LIMIT },
        { "limit=0x1", "limit" LIMIT, "limit" LIMIT },
        { "limit= 1", "limit" LIMIT, "limit" LIMIT },
        { "limit=1=1", "limit" LIMIT, "limit" LIMIT },
        { "limit=1;limit=500", "limit" LIMIT, "limit" LIMIT },

        { "starting_after", "starting_after" ID, "starting_after" ID },
        { "starting_after=", "starting_after" ID, "starting_after" ID },
        { "starting_after=a/b", "starting_after" ID, "starting_after" ID },
        { "starting_after=..", "starting_after" ID, "starting_after" ID },
        { "starting_after=a%20b", "starting_after" ID, "starting_after" ID },

        { "limit=1&limit=1", "limit" REPEATED, "limit" REPEATED },
        { "limit=0&limit=1&limit=2",
          "limit" LIMIT "limit" REPEATED "limit" REPEATED,
          "limit" LIMIT "limit" REPEATED "limit" REPEATED },
        { "starting_after=a&limit=1&starting_after=b",
          "starting_after" REPEATED, "starting_after" REPEATED },

        { "foo=1", "foo" UNKNOWN, "" },
        { "foo=1&foo=2", "foo" UNKNOWN "foo" UNKNOWN, "" },
        { "Limit=1", "Limit" UNKNOWN, "" },
        { "%6cimit=1", "%6cimit" ESCAPED, "%6cimit" ESCAPED },
        { "lim%69T=1", "lim%69T" UNKNOWN, "" },
        { "lim%69t", "lim%69t" ESCAPED, "lim%69t" ESCAPED },
        { "limi%7", "limi%7" UNKNOWN, "" },
        { "limit%7", "limit%7" UNKNOWN, "" },
        { "limit%00=1", "limit%00" UNKNOWN, "" },
        { "starting%5Fafter=a", "starting%5Fafter" ESCAPED,
          "starting%5Fafter" ESCAPED },
        { "limit[]=1", "limit[]" UNKNOWN, "" },
        { "=1", UNKNOWN, "" },
        { "limit=0&foo&starting_after=%00",
          "limit" LIMIT "foo" UNKNOWN "starting_after" ID,
          "limit" LIMIT "starting_after" ID }
    };

    size_t  i;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check(sg_op_list, rows[i].query, 0, rows[i].reject);
        check(sg_op_list, rows[i].query, 1, rows[i].pass);
    }
}


static void
other_operations(void **state)
{
    sg_operation_e  op;

    (void) state;

    for (op = sg_op_create; op < sg_op_n; op++) {

        if (op == sg_op_list) {
            continue;
        }

        check(op, "", 0, "");
        check(op, "limit=1", 0, "limit" UNKNOWN);
        check(op, "limit=0&limit=0", 1, "");
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(list),
        cmocka_unit_test(other_operations)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
