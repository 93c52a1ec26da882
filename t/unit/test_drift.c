
#include "test.h"

#include "contract/sg_drift.h"

#include <limits.h>


#define JSON  "application/json"

#define RULE     "{\"metric\":\"m\",\"comparator\":\"eq\",\"value\":\"v\"}"
#define TIMES    "\"created_at\":\"2026-01-15T10:30:00Z\","                   \
                 "\"updated_at\":\"2026-01-15T10:30:00Z\""
#define HEAD     "\"object\":\"segment\",\"id\":\"a\","                       \
                 "\"url\":\"/v4/segments/a\""
#define SEGMENT  "{" HEAD ",\"name\":\"A\",\"is_system\":false,"              \
                 "\"conditions\":[" RULE "]," TIMES "}"
#define RULES(rules)                                                          \
    "{" HEAD ",\"name\":\"A\",\"is_system\":false,"                           \
    "\"conditions\":" rules "," TIMES "}"
#define AT(time)                                                              \
    "{" HEAD ",\"name\":\"A\",\"is_system\":false,\"conditions\":[],"         \
    "\"created_at\":" time ",\"updated_at\":\"2026-01-15T10:30:00Z\"}"
#define LIST(data)                                                            \
    "{\"object\":\"list\",\"url\":\"/v4/segments\",\"data\":[" data "],"      \
    "\"has_more\":false}"
#define ERROR(error)  "{\"error\":{\"type\":\"request\","                     \
    "\"code\":\"invalid_data\",\"message\":\"m\"" error "}}"


/* the paths of a set, a comma behind each */

static const char *
paths(sg_fields_t fields)
{
    unsigned      field;

    static char   text[2048];

    text[0] = '\0';

    for (field = 0; field < sg_field_n; field++) {
        if (fields & SG_FIELD(field)) {
            strcat(text, sg_field_path(field));
            strcat(text, ",");
        }
    }

    return text;
}


static const struct {
    sg_operation_e   operation;
    unsigned         status;
    const char      *type;
    const char      *body;
    const char      *fields;
    const char      *additional;
    const char      *words;
} rows[] = {

    /* as documented */

    { sg_op_create, 201, JSON, SEGMENT, "", "", NULL },
    { sg_op_update, 200, "Application/JSON; charset=utf-8", SEGMENT, "",
      "", NULL },
    { sg_op_get, 200, JSON, RULES("[]"), "", "", NULL },
    { sg_op_get, 200, JSON, RULES("[{\"metric\":\"m\",\"negate\":true,"
      "\"comparator\":\"not_contains\",\"value\":\"\"}]"), "", "", NULL },
    { sg_op_list, 200, JSON, LIST(SEGMENT "," SEGMENT), "", "", NULL },
    { sg_op_list_system, 200, JSON, "{\"object\":\"list\",\"url\":\"u\","
      "\"data\":[],\"has_more\":true,\"next_cursor\":\"a\"}", "", "",
      NULL },
    { sg_op_list, 200, JSON, "{\"object\":\"list\",\"url\":\"u\","
      "\"data\":[],\"has_more\":false,\"next_cursor\":null}", "", "",
      NULL },
    { sg_op_delete, 204, "", "", "", "", NULL },
    { sg_op_delete, 200, "", "", "", "", NULL },
    { sg_op_create, 400, JSON, ERROR(""), "", "", NULL },
    { sg_op_delete, 404, JSON, ERROR(",\"details\":[{\"field\":\"a\","
      "\"message\":\"b\"}]"), "", "", NULL },
    { sg_op_get, 503, JSON, ERROR(""), "", "", NULL },
    { sg_op_get, 200, JSON, AT("\"2026-01-15T10:30:00.123+01:00\""), "",
      "", NULL },

    /* no answer of the API at all */

    { sg_op_get, 302, "", "", "(status),", "", "is not documented" },
    { sg_op_get, 404, "text/html", "<html></html>", "(HTML),", "",
      "is not documented" },
    { sg_op_get, 200, "TEXT/HTML;charset=a", SEGMENT, "(HTML),", "", NULL },
    { sg_op_get, 502, JSON, " \r\n<!DOCTYPE html>", "(HTML),", "", NULL },
    { sg_op_get, 200, "text/plain", SEGMENT, "(Content-Type),", "",
      "is not application/json" },
    { sg_op_get, 200, "", SEGMENT, "(Content-Type),", "", NULL },
    { sg_op_get, 200, "application/jsonp", SEGMENT, "(Content-Type),", "",
      NULL },
    { sg_op_get, 200, JSON, "", "(JSON),", "", "is malformed" },
    { sg_op_get, 200, JSON, "not found", "(JSON),", "", NULL },
    { sg_op_get, 200, JSON, SEGMENT "x", "(JSON),", "", NULL },
    { sg_op_get, 200, JSON, "{\"object\":1,\"object\":2}", "(JSON),", "",
      NULL },
    { sg_op_get, 200, JSON, "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
      "(JSON),", "", NULL },
    { sg_op_get, 200, "", "x", "(Content-Type),(JSON),", "",
      "is not application/json" },
    { sg_op_create, 201, JSON, "null", "(body),", "", "is no object" },
    { sg_op_list, 200, JSON, "[]", "(body),", "", NULL },
    { sg_op_delete, 200, JSON, SEGMENT, "(body),", "",
      "is not documented" },

    /* members of a segment */

    { sg_op_create, 201, JSON, "{}", "object,id,url,name,is_system,"
      "conditions,created_at,updated_at,", "", "is missing" },
    { sg_op_create, 201, JSON, "{\"object\":\"Segment\",\"id\":1,"
      "\"url\":null,\"name\":[],\"is_system\":\"true\","
      "\"conditions\":null,\"created_at\":1768473000,"
      "\"updated_at\":\"yesterday\"}", "object,id,url,name,is_system,"
      "conditions,created_at,updated_at,", "",
      "has a value that is not documented" },
    { sg_op_get, 200, JSON, AT("\"2026-01-15 10:30:00Z\""), "created_at,",
      "", "is no ISO 8601 time" },
    { sg_op_get, 200, JSON, AT("\"2026-01-15T10:30:00\""), "created_at,",
      "", NULL },
    { sg_op_get, 200, JSON, AT("\"2026-01-15T10:30:00.Z\""), "created_at,",
      "", NULL },
    { sg_op_get, 200, JSON, AT("\"2026-01-15T10:30:00Zulu\""),
      "created_at,", "", NULL },
    { sg_op_get, 200, JSON, AT("\"2026-01-15T10:30:00+0100\""),
      "created_at,", "", NULL },
    { sg_op_get, 200, JSON, AT("\"2026-01-15T10:30:00+01:00Z\""),
      "created_at,", "", NULL },
    { sg_op_get, 200, JSON, AT("\"\""), "created_at,", "", NULL },

    /* conditions */

    { sg_op_get, 200, JSON, RULES("{}"), "conditions,", "",
      "is no array" },
    { sg_op_get, 200, JSON, RULES("[" RULE ",1]"), "conditions[],", "",
      "is no object" },
    { sg_op_get, 200, JSON, RULES("[{}]"), "conditions[].metric,"
      "conditions[].comparator,conditions[].value,", "", "is missing" },
    { sg_op_get, 200, JSON, RULES("[{\"metric\":1,\"comparator\":\"in\","
      "\"value\":1,\"negate\":0}]"), "conditions[].metric,"
      "conditions[].comparator,conditions[].value,conditions[].negate,",
      "", "is no string" },
    { sg_op_get, 200, JSON, RULES("[{\"metric\":\"m\",\"value\":\"v\","
      "\"comparator\":\"EQ\"}]"), "conditions[].comparator,", "",
      "has a value that is not documented" },

    /* lists */

    { sg_op_list, 200, JSON, "{}", "object,url,data,has_more,", "",
      "is missing" },
    { sg_op_list, 200, JSON, SEGMENT, "object,data,has_more,", "(body),",
      NULL },
    { sg_op_list, 200, JSON, "{\"object\":\"list\",\"url\":\"\","
      "\"data\":{},\"has_more\":null,\"next_cursor\":1}",
      "data,has_more,next_cursor,", "", "is no array" },
    { sg_op_list, 200, JSON, LIST("null"), "data[],", "",
      "is no object" },
    { sg_op_list, 200, JSON, LIST(SEGMENT "," RULES("[{}]")),
      "data[].conditions[].metric,data[].conditions[].comparator,"
      "data[].conditions[].value,", "", "is missing" },
    { sg_op_list_system, 200, JSON, LIST("{}"), "data[].object,data[].id,"
      "data[].url,data[].name,data[].is_system,data[].conditions,"
      "data[].created_at,data[].updated_at,", "", "is missing" },

    /* errors */

    { sg_op_get, 404, JSON, "{\"message\":\"not found\"}", "error,",
      "(body),", "is missing" },
    { sg_op_get, 404, JSON, "{\"error\":\"not found\"}", "error,", "",
      "is no object" },
    { sg_op_get, 500, JSON, "{\"error\":{}}", "error.type,error.code,"
      "error.message,", "", "is missing" },
    { sg_op_get, 422, JSON, "{\"error\":{\"type\":\"client\",\"code\":1,"
      "\"message\":null,\"details\":null}}", "error.type,error.code,"
      "error.message,error.details,", "",
      "has a value that is not documented" },
    { sg_op_get, 422, JSON, ERROR(",\"details\":[]"), "error.details,", "",
      "is empty" },
    { sg_op_get, 422, JSON, ERROR(",\"details\":[1,{},{\"field\":1,"
      "\"message\":2}]"), "error.details[],error.details[].field,"
      "error.details[].message,", "", "is no object" },

    /* what came besides */

    { sg_op_get, 200, JSON, "{" HEAD ",\"name\":\"A\",\"is_system\":true,"
      "\"conditions\":[{\"metric\":\"m\",\"comparator\":\"eq\","
      "\"value\":\"v\",\"x\":1}],\"new\":{}," TIMES "}", "",
      "(body),conditions[],", NULL },
    { sg_op_list, 200, JSON, LIST("{" HEAD ",\"name\":\"A\",\"x\":1,"
      "\"is_system\":true,\"conditions\":[]," TIMES "}"), "", "data[],",
      NULL },
    { sg_op_get, 404, JSON, "{\"error\":{\"type\":\"request\","
      "\"code\":\"a\",\"message\":\"m\",\"details\":[{\"field\":\"a\","
      "\"message\":\"m\",\"x\":1}],\"x\":1},\"_meta\":{}}", "",
      "(body),error,error.details[],", NULL },
    { sg_op_get, 200, JSON, "{" HEAD ",\"name\":1,\"is_system\":true,"
      "\"conditions\":[],\"Name\":\"\"," TIMES "}", "name,", "(body),",
      "is no string" }
};


static void
answers(void **state)
{
    size_t         i;
    sg_drift_e     rc;
    sg_drift_t     drift;
    sg_answered_t  answer;

    (void) state;

    for (i = 0; i < N(rows); i++) {

        answer.status = rows[i].status;
        answer.type = str_exact(str(rows[i].type));
        answer.body = str_exact(str(rows[i].body));

        rc = sg_drift_check(rows[i].operation, &answer, &drift);

        check_int(rows[i].body, rc,
                  rows[i].fields[0] ? sg_drift_found : sg_drift_none);
        check_str(rows[i].body, str(paths(drift.fields)), rows[i].fields);
        check_str(rows[i].body, str(paths(drift.additional)),
                  rows[i].additional);

        if (rows[i].fields[0]) {
            check_int(rows[i].body,
                      (drift.fields & SG_FIELD(drift.first)) != 0, 1);
        }

        if (rows[i].words) {
            check_str(rows[i].body, str(drift.words), rows[i].words);
        }

        str_exact_free(answer.type);
        str_exact_free(answer.body);
    }
}


/* neither says anything of a whole answer */

static void
parts(void **state)
{
    sg_drift_t     drift;
    sg_answered_t  answer;

    (void) state;

    answer.type = str("text/html");
    answer.body = str("<html>");

    answer.status = 206;
    assert_int_equal(sg_drift_check(sg_op_get, &answer, &drift),
                     sg_drift_unchecked);

    answer.status = 304;
    assert_int_equal(sg_drift_check(sg_op_get, &answer, &drift),
                     sg_drift_unchecked);

    assert_int_equal(drift.fields | drift.additional, 0);
}


/* each field has a path of its own, and some operation's answer has it */

static void
possible(void **state)
{
    unsigned        field, other, operation;
    sg_drift_t      drift;
    sg_fields_t     all;

    (void) state;

    assert_true(sg_field_n <= 64);

    for (field = 0; field < sg_field_n; field++) {
        assert_non_null(sg_field_path(field));

        for (other = 0; other < field; other++) {
            check_int(sg_field_path(field),
                      strcmp(sg_field_path(field), sg_field_path(other)) == 0,
                      0);
        }
    }

    all = 0;

    for (operation = 0; operation < sg_op_n; operation++) {
        sg_drift_possible(operation, &drift);
        all |= drift.fields;
    }

    check_str("all", str(paths(~all)), "");

    sg_drift_possible(sg_op_delete, &drift);
    check_str("delete", str(paths(drift.fields)), "(status),(HTML),"
              "(Content-Type),(JSON),(body),error,error.type,error.code,"
              "error.message,error.details,error.details[],"
              "error.details[].field,error.details[].message,");
    check_str("delete", str(paths(drift.additional)),
              "(body),error,error.details[],");

    sg_drift_possible(sg_op_list, &drift);
    check_str("list", str(paths(drift.additional)),
              "(body),data[].conditions[],data[],error,error.details[],");
}


/* one line a minute */

static void
due(void **state)
{
    size_t  i;

    static const struct {
        unsigned long   last, now;
        int             due;
    } times[] = {
        { 0, 1, 1 },                            /* none was there */
        { 0, ULONG_MAX, 1 },
        { 1000, 1000, 0 },
        { 1000, 1001, 0 },
        { 1000, 60999, 0 },
        { 1000, 61000, 1 },                     /* the second one */
        { 1000, 1000 + ULONG_MAX / 2, 1 },      /* after a long silence */
        { 1000, 999, 0 },                       /* another process is ahead */
        { 61000, 1001, 0 },
        { ULONG_MAX, 59998, 0 },                /* the clock began anew */
        { ULONG_MAX, 59999, 1 }
    };

    (void) state;

    for (i = 0; i < N(times); i++) {
        assert_int_equal(sg_drift_due(times[i].last, times[i].now),
                         times[i].due);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(parts),
        cmocka_unit_test(possible),
        cmocka_unit_test(due)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
