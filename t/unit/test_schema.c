
#include "test.h"

#include "contract/sg_schema.h"


static void
members(void **state)
{
    static const struct {
        const sg_object_t  *object;
        sg_str_t            name;
        size_t              place;
    } rows[] = {
        { &sg_segment, sg_string("name"), SG_NAME },
        { &sg_segment, sg_string("conditions"), SG_CONDITIONS },
        { &sg_condition, sg_string("metric"), SG_METRIC },
        { &sg_condition, sg_string("comparator"), SG_COMPARATOR },
        { &sg_condition, sg_string("value"), SG_VALUE },
        { &sg_condition, sg_string("negate"), SG_NEGATE },

        { &sg_segment, sg_string(""), SG_CHILDREN },
        { &sg_segment, sg_string("Name"), SG_CHILDREN },
        { &sg_segment, sg_string("names"), SG_CHILDREN },
        { &sg_segment, sg_string("metric"), SG_CHILDREN },
        { &sg_condition, sg_string("name"), SG_CHILDREN },
        { &sg_condition, sg_string("val"), SG_CHILDREN },
        { &sg_condition, sg_string("n\0gate"), SG_CHILDREN }
    };

    size_t    i;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(rows[i].name);
        check_int((const char *) rows[i].name.data,
                  (long long) sg_schema_find(rows[i].object, exact),
                  (long long) rows[i].place);
        str_exact_free(exact);
    }
}


static void
comparators(void **state)
{
    static const struct {
        const char  *text;
        int          known;
    } rows[] = {
        { "eq", 1 }, { "ne", 1 }, { "gt", 1 }, { "gte", 1 }, { "lt", 1 },
        { "lte", 1 }, { "contains", 1 }, { "not_contains", 1 },

        { "", 0 }, { "e", 0 }, { "EQ", 0 }, { "le", 0 }, { "eqe", 0 },
        { "ltf", 0 }, { "contain", 0 }, { "contained", 0 }, { "contains ", 0 },
        { "not-contains", 0 }, { "not_contain", 0 }
    };

    size_t       i;
    sg_unit_t    unit;
    sg_errors_t  errors;
    sg_schema_t  schema = { &errors, 1, 0 };

    (void) state;

    memset(&unit, 0, sizeof(unit));
    unit.children[SG_COMPARATOR].kind = sg_text;

    for (i = 0; i < N(rows); i++) {
        unit.children[SG_COMPARATOR].text = str_exact(str(rows[i].text));

        sg_errors_init(&errors);
        sg_schema_check_child(&schema, &sg_condition, &unit, SG_COMPARATOR);

        check_int(rows[i].text, errors.total == 0, rows[i].known);

        sg_errors_free(&errors);
        str_exact_free(unit.children[SG_COMPARATOR].text);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(comparators)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
