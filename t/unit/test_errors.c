
#include "test.h"

#include "sg_errors.h"


static void
kept_in_order(void **state)
{
    char         field[32];
    size_t       i;
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);

    for (i = 0; i < 100; i++) {
        snprintf(field, sizeof(field), "conditions[%zu]", i);
        sg_errors_add(&errors, str(field), "Must be an object");
    }

    assert_int_equal(errors.n, 100);
    assert_int_equal(errors.failed, 0);

    check_buf("first", &errors.violations[0].field, "conditions[0]");
    check_buf("last", &errors.violations[99].field, "conditions[99]");
    assert_string_equal(errors.violations[99].message, "Must be an object");

    sg_errors_free(&errors);

    assert_int_equal(errors.n, 0);
    assert_null(errors.violations);
}


static void
field_is_copied(void **state)
{
    char         field[] = "name";
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);
    sg_errors_add(&errors, str(field), "Required");
    field[0] = 'N';

    check_buf("copy", &errors.violations[0].field, "name");

    sg_errors_free(&errors);
}


static void
empty_field(void **state)
{
    sg_str_t     none = { NULL, 0 };
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);
    sg_errors_add(&errors, none, "Unknown field");

    assert_int_equal(errors.n, 1);
    assert_int_equal(errors.violations[0].field.len, 0);

    sg_errors_free(&errors);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(kept_in_order),
        cmocka_unit_test(field_is_copied),
        cmocka_unit_test(empty_field)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
