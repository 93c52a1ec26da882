
#include "test.h"

#include "contract/sg_usual.h"


#define AS(metric, comparator, value)                                         \
    "{\"metric\":\"" metric "\",\"comparator\":\"" comparator                 \
    "\",\"value\":\"" value "\""

#define USUAL  AS("m", "eq", "")

#define SPACED_AS(metric, comparator, value)                                  \
    "{\"metric\": \"" metric "\", \"comparator\": \"" comparator              \
    "\", \"value\": \"" value "\""

#define SPACED  SPACED_AS("m", "eq", "")

#define X_15   "0123456789abcde"
#define X_100  X_15 X_15 X_15 X_15 X_15 X_15 "0123456789"


/* what is taken of a text in memory of its own size */

static size_t
taken(sg_str_t text, size_t *n, int *more)
{
    size_t                len;
    sg_str_t              exact;
    sg_cursor_t           at;
    sg_body_text_t        body;
    unsigned char         room[SG_CURSOR_ROOM];
    const unsigned char  *p;

    exact = str_exact(text);
    body.head = exact;
    body.rest = str("");
    assert_int_equal(sg_cursor_init(&at, &body, room, 0), 0);

    p = exact.data;
    *n = 0;
    *more = sg_usual_conditions(&at, &p, n, NULL);

    len = (size_t) (p - exact.data);

    sg_cursor_free(&at);
    str_exact_free(exact);

    return len;
}


/* cut anywhere it is none; where there is much behind it it is the same */

static void
usual(void **state)
{
    static const char *const  rows[] = {
        USUAL "}",
        USUAL ",\"negate\":true}",
        USUAL ",\"negate\":false}",
        AS("", "ne", "1") "}",
        AS("m", "gt", X_15) ",\"negate\":false}",
        AS("m", "gte", X_15 "f") "}",
        AS(X_15, "lt", X_15) "}",
        AS(X_15 "f", "lte", "v") "}",
        AS("m", "contains", X_15) ",\"negate\":true}",
        AS(X_15, "not_contains", X_15) ",\"negate\":false}",
        AS(X_100, "eq", X_100) ",\"negate\":false}",
        AS("{", "eq", "},]") "}",

        SPACED "}",
        SPACED ", \"negate\": true}",
        SPACED ", \"negate\": false}",
        SPACED_AS(X_15, "not_contains", X_15) ", \"negate\": false}",
        SPACED_AS(X_15 "f", "gte", X_15 "f") ", \"negate\": true}",
        SPACED_AS(X_100, "ne", X_100) "}"
    };

    int       more;
    size_t    i, n, len, comma;
    char      text[1024];
    sg_str_t  cut;

    (void) state;

    for (i = 0; i < N(rows); i++) {

        cut = str(rows[i]);
        len = cut.len;

        for (cut.len = 0; cut.len < len; cut.len++) {
            check_int(rows[i], (long long) taken(cut, &n, &more), 0);
            check_int(rows[i], (long long) n, 0);
            check_int(rows[i], more, 1);
        }

        check_int(rows[i], (long long) taken(cut, &n, &more), (long long) len);
        check_int(rows[i], (long long) n, 1);
        check_int(rows[i], more, 0);

        snprintf(text, sizeof(text), "%s] }%100s", rows[i], "");
        check_int(text, (long long) taken(str(text), &n, &more),
                  (long long) len);
        check_int(text, (long long) n, 1);
        check_int(text, more, 0);

        comma = (strchr(rows[i], ' ') != NULL) + 1;

        snprintf(text, sizeof(text), "%s%.*s%s%.*s%s", rows[i], (int) comma,
                 ", ", rows[i], (int) comma, ", ", "\t");
        check_int(text, (long long) taken(str(text), &n, &more),
                  2 * (long long) (len + comma));
        check_int(text, (long long) n, 2);

        snprintf(text, sizeof(text), "%s%.*s%s,%100s", rows[i], (int) comma,
                 ", ", rows[i], "");
        check_int(text, (long long) taken(str(text), &n, &more),
                  2 * (long long) (len + comma));
        check_int(text, (long long) n, 2);
        check_int(text, more, 1);
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
        "{\"metric\": \"m\", \"comparator\":\"eq\", \"value\":\"\"}",
        "{\"metric\":\"m\", \"comparator\": \"eq\", \"value\": \"\"}",
        "{\"metric\":  \"m\", \"comparator\": \"eq\", \"value\": \"\"}",
        SPACED ",\"negate\": true}",
        SPACED ", \"negate\":true}",
        SPACED " }",
        "{\"metric\":\"m\",\"value\":\"\",\"comparator\":\"eq\"}",
        "{\"metric\":\"m\",\"comparator\":\"eq\",\"value\":null}",
        AS("\\n", "eq", "") "}",
        AS("\xc3\xa9", "eq", "") "}",
        AS("\x01", "eq", "") "}",
        AS(X_15 "\x01", "eq", "") "}",
        AS("m", "eq", "\xc3\xa9") "}",
        AS("m", "eq", X_15 "\xc3\xa9") "}",
        AS("m", "eq", X_15 "\\\"") "}",

        /* is for the schema to refuse */

        AS("m", "", "") "}",
        AS("m", "e", "") "}",
        AS("m", "EQ", "") "}",
        AS("m", "gtx", "") "}",
        AS("m", "eqs", "") "}",
        AS("m", "contain", "") "}",
        AS("m", "Contains", "") "}",
        AS("m", "not_contain", "") "}",
        AS("m", "not-contains", "") "}",
        AS("m", "not_containst", "") "}"
    };

    int     more;
    size_t  i, n;
    char    text[512];

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_int(rows[i], (long long) taken(str(rows[i]), &n, &more), 0);
        check_int(rows[i], more, 1);

        snprintf(text, sizeof(text), "%s%100s", rows[i], "");
        check_int(text, (long long) taken(str(text), &n, &more), 0);
        check_int(text, (long long) n, 0);
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
