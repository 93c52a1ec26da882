
#include "test.h"

#include "contract/sg_body.h"


#define DOCUMENTED     "\"metric\":\"m\",\"comparator\":\"eq\",\"value\":\"v\""
#define CONDITION(c)   "{\"name\":\"x\",\"conditions\":[" c "]}"

#define MUST_BE_ONE_OF                                                        \
    "Must be one of eq, ne, gt, gte, lt, lte, contains, not_contains\n"


typedef struct {
    const char  *body;
    sg_body_e    rc;
    const char  *violations;            /* "field: message\n" of each */
} body_row_t;


/* in one piece, or cut in two, each as long as it has to be */

static sg_body_e
body_check(sg_operation_e op, sg_str_t body, size_t cut, int pass,
    sg_errors_t *errors, unsigned char *fingerprint)
{
    sg_str_t        head, rest;
    sg_body_e       rc;
    sg_body_text_t  text;

    head.data = body.data;
    head.len = cut;
    rest.data = body.data + cut;
    rest.len = body.len - cut;

    text.head = str_exact(head);
    text.rest = str_exact(rest);

    rc = sg_body_check(op, &text, pass, errors, fingerprint);

    str_exact_free(text.head);
    str_exact_free(text.rest);

    return rc;
}


/* every byte is set, or none: it is filled otherwise than the one before it */

static void
check_fingerprint(const char *row, sg_operation_e op, sg_str_t body, int pass,
    const unsigned char *before, int set)
{
    size_t         i;
    sg_errors_t    errors;
    unsigned char  fingerprint[SG_FINGERPRINT_LEN];

    memset(fingerprint, '!', sizeof(fingerprint));
    sg_errors_init(&errors);

    (void) body_check(op, body, 0, pass, &errors, fingerprint);

    for (i = 0; i < sizeof(fingerprint); i++) {
        check_int(row, fingerprint[i] == before[i], set);
    }

    sg_errors_free(&errors);
}


static void
check_body_cut(const char *row, sg_operation_e op, sg_str_t body, size_t cut,
    int pass, sg_body_e rc, const char *violations)
{
    size_t         i;
    sg_buf_t       got;
    sg_errors_t    errors;
    unsigned char  fingerprint[SG_FINGERPRINT_LEN];

    memset(fingerprint, '?', sizeof(fingerprint));
    sg_errors_init(&errors);
    sg_buf_init(&got);

    check_int(row, body_check(op, body, cut, pass, &errors, fingerprint), rc);

    for (i = 0; i < errors.n; i++) {
        sg_buf_add_str(&got, sg_errors_field(&errors, i));
        sg_buf_add_cstr(&got, ": ");
        sg_buf_add_cstr(&got, errors.violations[i].message);
        sg_buf_add_cstr(&got, "\n");
    }

    check_buf(row, &got, violations);

    /* a sentence for the whole, or a list of violations, or neither */

    check_int(row, errors.message.len != 0,
              rc == sg_body_not_json || rc == sg_body_not_object);

    check_fingerprint(row, op, body, pass, fingerprint, rc == sg_body_ok);

    sg_buf_free(&got);
    sg_errors_free(&errors);
}


/* nothing depends on where nginx' buffers end */

static void
check_body_of(sg_operation_e op, const char *row, sg_str_t body, int pass,
    sg_body_e rc, const char *violations)
{
    size_t  cut;

    for (cut = 0; cut <= body.len && cut < 300; cut++) {
        check_body_cut(row, op, body, cut, pass, rc, violations);
    }

    check_body_cut(row, op, body, body.len, pass, rc, violations);
}


/* of both operations */

static void
check_body(const char *row, sg_str_t body, int pass, sg_body_e rc,
    const char *violations)
{
    check_body_of(sg_op_create, row, body, pass, rc, violations);
    check_body_of(sg_op_update, row, body, pass, rc, violations);
}


static void
accepted(void **state)
{
    static const char *const  bodies[] = {
        "{\"name\":\"A\"}",
        "{\"name\":\"\"}",
        "{\"conditions\":[],\"name\":\"A\"}",
        CONDITION("{" DOCUMENTED "}"),
        CONDITION("{" DOCUMENTED ",\"negate\":true},"
                  "{\"negate\":false," DOCUMENTED "}"),
        CONDITION("{\"metric\":\"\",\"comparator\":\"ne\",\"value\":\"\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"gt\",\"value\":\"1\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"gte\",\"value\":\"1\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"lt\",\"value\":\"1\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"lte\",\"value\":\"1\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"contains\","
                  "\"value\":\"1\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"not_contains\","
                  "\"value\":\"1\"}"),
        CONDITION("{\"metric\":\"m\",\"comparator\":\"\\u0065q\","
                  "\"value\":\"1\"}")
    };

    size_t  i;

    (void) state;

    for (i = 0; i < N(bodies); i++) {
        check_body(bodies[i], str(bodies[i]), 0, sg_body_ok, "");
        check_body(bodies[i], str(bodies[i]), 1, sg_body_ok, "");
    }
}


static void
violations(void **state)
{
    static const body_row_t  rows[] = {
        { "", sg_body_not_json, "" },
        { "{\"name\":\"A\",\"name\":\"A\"}", sg_body_not_json, "" },
        { "[]", sg_body_not_object, "" },
        { "\"name\"", sg_body_not_object, "" },
        { "null", sg_body_not_object, "" },

        { "{}", sg_body_invalid, "name: Required\n" },
        { "{\"name\":null}", sg_body_invalid, "name: Must be a string\n" },
        { "{\"name\":1}", sg_body_invalid, "name: Must be a string\n" },
        { "{\"name\":[\"A\"]}", sg_body_invalid, "name: Must be a string\n" },

        { "{\"name\":\"A\",\"conditions\":null}", sg_body_invalid,
          "conditions: Must be an array\n" },
        { "{\"name\":\"A\",\"conditions\":{}}", sg_body_invalid,
          "conditions: Must be an array\n" },
        { "{\"name\":\"A\",\"conditions\":\"[]\"}", sg_body_invalid,
          "conditions: Must be an array\n" },

        { CONDITION("null,[],0,\"\",true"), sg_body_invalid,
          "conditions[0]: Must be an object\n"
          "conditions[1]: Must be an object\n"
          "conditions[2]: Must be an object\n"
          "conditions[3]: Must be an object\n"
          "conditions[4]: Must be an object\n" },

        { CONDITION("{" DOCUMENTED "},{}"), sg_body_invalid,
          "conditions[1].metric: Required\n"
          "conditions[1].comparator: Required\n"
          "conditions[1].value: Required\n" },

        { CONDITION("{\"negate\":null,\"value\":null,\"comparator\":null,"
                    "\"metric\":null}"), sg_body_invalid,
          "conditions[0].metric: Must be a string\n"
          "conditions[0].comparator: Must be a string\n"
          "conditions[0].value: Must be a string\n"
          "conditions[0].negate: Must be a boolean\n" },

        { CONDITION("{\"metric\":true,\"comparator\":[\"eq\"],\"value\":1,"
                    "\"negate\":\"true\"}"), sg_body_invalid,
          "conditions[0].metric: Must be a string\n"
          "conditions[0].comparator: Must be a string\n"
          "conditions[0].value: Must be a string\n"
          "conditions[0].negate: Must be a boolean\n" },

        { CONDITION("{\"metric\":\"m\",\"comparator\":\"EQ\","
                    "\"value\":\"v\",\"negate\":0}"), sg_body_invalid,
          "conditions[0].comparator: " MUST_BE_ONE_OF
          "conditions[0].negate: Must be a boolean\n" },

        { CONDITION("{\"metric\":\"m\",\"comparator\":\"eq \","
                    "\"value\":\"v\"}"), sg_body_invalid,
          "conditions[0].comparator: " MUST_BE_ONE_OF },

        { CONDITION("{\"metric\":\"m\",\"comparator\":\"\","
                    "\"value\":\"v\"}"), sg_body_invalid,
          "conditions[0].comparator: " MUST_BE_ONE_OF },

        /* all at once: documented first, then unknown in the body's order */

        { "{\"z\":1,\"conditions\":[{\"b\":1,\"value\":\"v\",\"a\":2,"
          "\"comparator\":\"like\",\"negate\":1},7],\"Name\":\"A\"}",
          sg_body_invalid,
          "name: Required\n"
          "conditions[0].metric: Required\n"
          "conditions[0].comparator: " MUST_BE_ONE_OF
          "conditions[0].negate: Must be a boolean\n"
          "conditions[0].b: Unknown field\n"
          "conditions[0].a: Unknown field\n"
          "conditions[1]: Must be an object\n"
          "z: Unknown field\n"
          "Name: Unknown field\n" }
    };

    size_t  i;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_body(rows[i].body, str(rows[i].body), 0, rows[i].rc,
                   rows[i].violations);
    }
}


static void
unknown_members(void **state)
{
    static const body_row_t  rows[] = {
        { "{\"name\":\"A\",\"Id\":\"x\"}", sg_body_invalid,
          "Id: Unknown field\n" },
        { "{\"name\":\"A\",\"\":1}", sg_body_invalid, ": Unknown field\n" },
        { "{\"name\":\"A\",\"conditions.x\":1}", sg_body_invalid,
          "conditions.x: Unknown field\n" },
        { "{\"name\":\"A\",\"nam\\u00e9\":{\"deep\":[1.5]}}", sg_body_invalid,
          "nam\xc3\xa9: Unknown field\n" },
        { CONDITION("{" DOCUMENTED ",\"foo\":null,\"\":0}"),
          sg_body_invalid,
          "conditions[0].foo: Unknown field\n"
          "conditions[0].: Unknown field\n" },
        { CONDITION("{" DOCUMENTED ",\"name\":\"n\",\"conditions\":[]}"),
          sg_body_invalid,
          "conditions[0].name: Unknown field\n"
          "conditions[0].conditions: Unknown field\n" }
    };

    size_t  i;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_body(rows[i].body, str(rows[i].body), 0, rows[i].rc,
                   rows[i].violations);
        check_body(rows[i].body, str(rows[i].body), 1, sg_body_ok, "");
    }

    /* what is documented is judged all the same */

    check_body("pass", str("{\"foo\":1,\"name\":2}"), 1, sg_body_invalid,
               "name: Must be a string\n");
}


/* who gets a segment, changes it and puts it back, sends all of it */

static void
put_back(void **state)
{
    static const char  got[] = "{\"object\":\"segment\",\"id\":\"a\","
        "\"url\":\"/v4/segments/a\",\"name\":\"A\",\"is_system\":false,"
        "\"conditions\":[{" DOCUMENTED ",\"negate\":false}],"
        "\"created_at\":\"2026-01-15T10:30:00Z\","
        "\"updated_at\":\"2026-01-15T10:30:00Z\"}";

    static const body_row_t  rows[] = {
        { "{\"object\":\"\",\"id\":\"\",\"url\":\"\",\"is_system\":true,"
          "\"created_at\":\"never\",\"updated_at\":\"\",\"name\":\"\"}",
          sg_body_ok, "" },
        { "{\"name\":\"A\",\"\\u0069d\":\"x\"}", sg_body_ok, "" },

        { "{\"object\":1,\"id\":null,\"url\":true,\"is_system\":\"true\","
          "\"created_at\":1737000000,\"updated_at\":{},\"name\":1}",
          sg_body_invalid,
          "name: Must be a string\n"
          "object: Must be a string\n"
          "id: Must be a string\n"
          "url: Must be a string\n"
          "is_system: Must be a boolean\n"
          "created_at: Must be a string\n"
          "updated_at: Must be a string\n" },

        { "{\"name\":\"A\",\"created\":\"\",\"is_system\":null,\"i\":0}",
          sg_body_invalid,
          "created: Unknown field\n"
          "is_system: Must be a boolean\n"
          "i: Unknown field\n" },

        /* a condition has none */

        { CONDITION("{" DOCUMENTED ",\"id\":\"a\"}"), sg_body_invalid,
          "conditions[0].id: Unknown field\n" }
    };

    size_t  i;

    (void) state;

    check_body_of(sg_op_update, "as it was got", str(got), 0, sg_body_ok, "");
    check_body_of(sg_op_create, "as it was got", str(got), 0, sg_body_invalid,
                  "object: Unknown field\n"
                  "id: Unknown field\n"
                  "url: Unknown field\n"
                  "is_system: Unknown field\n"
                  "created_at: Unknown field\n"
                  "updated_at: Unknown field\n");

    for (i = 0; i < N(rows); i++) {
        check_body_of(sg_op_update, rows[i].body, str(rows[i].body), 0,
                      rows[i].rc, rows[i].violations);
    }

    check_body("pass", str("{\"id\":1,\"name\":\"A\"}"), 1, sg_body_ok, "");
}


static void
name_length(void **state)
{
    static const struct {
        const char  *unit;              /* one code point */
        size_t       n;
        sg_body_e    rc;
    } rows[] = {
        { "a", 255, sg_body_ok },
        { "a", 256, sg_body_ok },
        { "a", 257, sg_body_invalid },
        { "\xc3\xa9", 256, sg_body_ok },
        { "\xc3\xa9", 257, sg_body_invalid },
        { "\xe2\x82\xac", 256, sg_body_ok },
        { "\xf0\x9f\x98\x80", 256, sg_body_ok },
        { "\xf0\x9f\x98\x80", 257, sg_body_invalid },
        { "\\ud83d\\ude00", 256, sg_body_ok },
        { "\\ud83d\\ude00", 257, sg_body_invalid },
        { "\\n", 256, sg_body_ok },
        { "\\n", 257, sg_body_invalid }
    };

    size_t    i, n;
    sg_buf_t  body;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        sg_buf_init(&body);
        sg_buf_add_cstr(&body, "{\"name\":\"");

        for (n = 0; n < rows[i].n; n++) {
            sg_buf_add_cstr(&body, rows[i].unit);
        }

        sg_buf_add_cstr(&body, "\"}");

        check_body(rows[i].unit, buf_str(&body), 0, rows[i].rc,
                   rows[i].rc ? "name: Value is too long\n" : "");

        sg_buf_free(&body);
    }
}


static void
many_conditions(void **state)
{
    size_t       i;
    sg_buf_t     body;
    sg_errors_t  errors;

    (void) state;

    sg_buf_init(&body);
    sg_buf_add_cstr(&body, "{\"name\":\"x\",\"conditions\":[0");

    for (i = 1; i < 200000; i++) {
        sg_buf_add_cstr(&body, ",0");
    }

    sg_buf_add_cstr(&body, "]}");

    sg_errors_init(&errors);

    assert_int_equal(body_check(sg_op_create, buf_str(&body), body.len, 0,
                                &errors, NULL),
                     sg_body_invalid);
    assert_int_equal(errors.n, SG_ERRORS_MAX);
    assert_int_equal(errors.total, 200000);
    check_str("last", sg_errors_field(&errors, 99), "conditions[99]");

    sg_errors_free(&errors);
    sg_buf_free(&body);
}


static void
fingerprint_is_optional(void **state)
{
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);

    assert_int_equal(body_check(sg_op_update, str("{\"name\":\"A\"}"), 0, 0,
                                &errors, NULL),
                     sg_body_ok);

    sg_errors_free(&errors);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(violations),
        cmocka_unit_test(unknown_members),
        cmocka_unit_test(put_back),
        cmocka_unit_test(name_length),
        cmocka_unit_test(many_conditions),
        cmocka_unit_test(fingerprint_is_optional)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
