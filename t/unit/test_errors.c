
#include "test.h"

#include "contract/sg_errors.h"


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

    check_str("first", sg_errors_field(&errors, 0), "conditions[0]");
    check_str("last", sg_errors_field(&errors, 99), "conditions[99]");
    assert_string_equal(errors.violations[99].message, "Must be an object");

    sg_errors_free(&errors);

    assert_int_equal(errors.n, 0);
    assert_ptr_equal(errors.violations, errors.room);
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

    check_str("copy", sg_errors_field(&errors, 0), "name");

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
    assert_int_equal(sg_errors_field(&errors, 0).len, 0);

    sg_errors_free(&errors);
}


/* the list ends, and what is left out is counted */

static void
bounded(void **state)
{
    size_t       i;
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);

    for (i = 0; i < SG_ERRORS_MAX; i++) {
        assert_int_equal(sg_errors_skip(&errors), 0);
        sg_errors_add(&errors, str("name"), "Required");
    }

    sg_errors_add(&errors, str("one more"), "Required");
    assert_int_equal(sg_errors_skip(&errors), 1);

    assert_int_equal(errors.n, 100);
    assert_int_equal(errors.total, 102);
    check_str("last", sg_errors_field(&errors, 99), "name");

    sg_errors_free(&errors);

    assert_int_equal(errors.total, 0);
}


static void
long_field(void **state)
{
    char         field[300];
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);

    memset(field, 'x', sizeof(field));
    sg_errors_add(&errors, (sg_str_t) { (unsigned char *) field, 256 }, "A");
    sg_errors_add(&errors, (sg_str_t) { (unsigned char *) field, 257 }, "A");

    /* U+20AC of bytes 254 to 256 does not fit whole */

    memcpy(field + 254, "\xe2\x82\xac", 3);
    sg_errors_add(&errors, (sg_str_t) { (unsigned char *) field, 300 }, "A");

    assert_int_equal(sg_errors_field(&errors, 0).len, 256);
    assert_int_equal(sg_errors_field(&errors, 1).len, 259);
    assert_memory_equal(sg_errors_field(&errors, 1).data + 255, "x...", 4);
    assert_int_equal(sg_errors_field(&errors, 2).len, 257);
    assert_memory_equal(sg_errors_field(&errors, 2).data + 253, "x...", 4);

    sg_errors_free(&errors);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(kept_in_order),
        cmocka_unit_test(field_is_copied),
        cmocka_unit_test(empty_field),
        cmocka_unit_test(bounded),
        cmocka_unit_test(long_field)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
