
#include "test.h"

#include "contract/sg_record.h"


#define PREFIX  "segments:"


static void
names(void **state)
{
    static const struct {
        sg_environment_e  environment;
        sg_str_t          scope;
        sg_operation_e    operation;
        sg_str_t          key;
        const char       *name;
    } rows[] = {
        { sg_env_live, sg_string("client-1"), sg_op_create, sg_string("abc"),
          PREFIX "{live:client-1:abc}:create" },
        { sg_env_sandbox, sg_string(""), sg_op_update, sg_string("a"),
          PREFIX "{sandbox::a}:update" },
        { sg_env_live, sg_string("a}b{c:d"), sg_op_create, sg_string("a b%*"),
          PREFIX "{live:a%7Db%7Bc%3Ad:a%20b%25%2A}:create" },
        { sg_env_live, sg_string("\0\n\xc3\xa9"), sg_op_create,
          sg_string("AZaz09._~-"),
          PREFIX "{live:%00%0A%C3%A9:AZaz09._~-}:create" }
    };

    size_t    i;
    sg_buf_t  name;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        sg_buf_init(&name);
        sg_record_name(&name, STR(PREFIX), rows[i].environment, rows[i].scope,
                       rows[i].operation, rows[i].key);
        check_buf(rows[i].name, &name, rows[i].name);
        sg_buf_free(&name);
    }
}


static void
names_never_meet(void **state)
{
    static const char *const  parts[] = {
        "", "a", "abc", "abc-response", "abc:response", ":", "::", "a:", ":a",
        "{}", "{", "}", "}:create:", "a}:create:b", "*", "?", "[a]", "%", "%3A",
        "%253A", "a b", "a+b", "a%20b", "\n", "\\n", "live", "sandbox",
        "create", "\xc3\xa9", "\xff"
    };

    size_t            i, j, k, n;
    sg_buf_t         *made;
    sg_operation_e    op;
    sg_environment_e  env;

    (void) state;

    n = 0;
    made = calloc(2 * 2 * N(parts) * N(parts), sizeof(sg_buf_t));
    assert_non_null(made);

    for (env = sg_env_live; env <= sg_env_sandbox; env++) {
        for (op = sg_op_create; op <= sg_op_list; op++) {
            for (i = 0; i < N(parts); i++) {
                for (j = 0; j < N(parts); j++) {
                    sg_record_name(&made[n++], STR(PREFIX), env,
                                   str(parts[i]), op, str(parts[j]));
                }
            }
        }
    }

    for (i = 0; i < n; i++) {

        /* one hash tag, and one opening brace for a cluster to find */

        assert_ptr_equal(memchr(made[i].data, '{', made[i].len),
                         made[i].data + sizeof(PREFIX) - 1);

        for (j = i + 1; j < n; j++) {
            if (sg_str_eq(buf_str(&made[i]), buf_str(&made[j]))) {
                fail_msg("two names are \"%.*s\"", (int) made[i].len,
                         (const char *) made[i].data);
            }
        }
    }

    for (k = 0; k < n; k++) {
        sg_buf_free(&made[k]);
    }

    free(made);
}


/* each byte stands in a name as it is, or in hexadecimal; in a header's value
   it is stored unless it is a control character */

static void
bytes(void **state)
{
    static const char  unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz"
                                      "0123456789._~-";

    char           name[4], line[8];
    unsigned       ch;
    sg_buf_t       text;
    unsigned char  byte;

    (void) state;

    for (ch = 0; ch < 256; ch++) {
        byte = (unsigned char) ch;

        snprintf(name, sizeof(name), ch && strchr(unreserved, (int) ch)
                                     ? "%c" : "%%%02X", (int) ch);

        sg_buf_init(&text);
        sg_record_encode(&text, (sg_str_t) { &byte, 1 });
        check_buf("name", &text, name);
        sg_buf_free(&text);

        snprintf(line, sizeof(line), (ch < 0x20 && ch != '\t') || ch == 0x7f
                                     ? "" : "a: %c\n", (int) ch);

        sg_buf_init(&text);
        sg_record_header_add(&text, STR("a"), (sg_str_t) { &byte, 1 });
        check_buf("value", &text, line);
        sg_buf_free(&text);
    }
}


static void
prefixes(void **state)
{
    (void) state;

    assert_int_equal(sg_record_prefix_ok(STR("segments:")), 1);
    assert_int_equal(sg_record_prefix_ok(STR("")), 1);
    assert_int_equal(sg_record_prefix_ok((sg_str_t) { NULL, 0 }), 1);
    assert_int_equal(sg_record_prefix_ok(STR("a{b")), 0);
    assert_int_equal(sg_record_prefix_ok(STR("a}b")), 0);
    assert_int_equal(sg_record_prefix_ok(STR("{a}")), 0);
}


static void
headers_round_trip(void **state)
{
    static const struct {
        sg_str_t  name, value;
    } rows[] = {
        { sg_string("Location"), sg_string("/v4/segments/premium-users") },
        { sg_string("Link"), sg_string("<a>; rel=\"x\", <b>: y") },
        { sg_string("Link"), sg_string("") },
        { sg_string("ETag"), sg_string(" \t\"x\" \t") },
        { sg_string("!#$%&'*+-.^_`|~09azAZ"), sg_string("\x80\xff\xc3\xa9") },
        { sg_string("Content-Type"), sg_string("application/json") },
        { sg_string("Content-Type"),
          sg_string("application/json; charset=utf-8") },
        { sg_string("Content-Type"), sg_string("application/jso") },
        { sg_string("Content-Type"), sg_string("application/json ") },
        { sg_string("content-type"), sg_string("application/json") },
        { sg_string("Accept"), sg_string("application/json") }
    };

    size_t    i;
    sg_buf_t  lines;
    sg_str_t  exact, rest, name, value;

    (void) state;

    sg_buf_init(&lines);

    for (i = 0; i < N(rows); i++) {
        sg_record_header_add(&lines, rows[i].name, rows[i].value);
    }

    exact = str_exact(buf_str(&lines));
    rest = exact;

    for (i = 0; i < N(rows); i++) {
        assert_int_equal(sg_record_header_next(&rest, &name, &value), 1);
        assert_int_equal(sg_str_eq(name, rows[i].name), 1);
        assert_int_equal(sg_str_eq(value, rows[i].value), 1);
    }

    assert_int_equal(sg_record_header_next(&rest, &name, &value), 0);
    assert_int_equal(sg_record_header_next(&rest, &name, &value), 0);

    str_exact_free(exact);
    sg_buf_free(&lines);
}


/* what nearly all answers have is a byte */

static void
usual_headers(void **state)
{
    sg_buf_t  lines;
    sg_str_t  rest, name, value;

    (void) state;

    sg_buf_init(&lines);

    sg_record_header_add(&lines, STR("Content-Type"), STR("application/json"));
    sg_record_header_add(&lines, STR("A"), STR("b"));
    sg_record_header_add(&lines, STR("Content-Type"),
                         STR("application/json; charset=utf-8"));

    assert_int_equal(lines.len, 7);
    assert_memory_equal(lines.data, "\1A: b\n\2", 7);

    sg_buf_free(&lines);

    /* written out it is the same */

    rest = STR("Content-Type: application/json\n");

    assert_int_equal(sg_record_header_next(&rest, &name, &value), 1);
    assert_int_equal(sg_str_eq(value, STR("application/json")), 1);
    assert_int_equal(rest.len, 0);
}


/* one line that could not be read back would spoil the whole record */

static void
headers_left_out(void **state)
{
    static const struct {
        sg_str_t  name, value;
    } rows[] = {
        { sg_string(""), sg_string("a") },
        { sg_string("a b"), sg_string("a") },
        { sg_string("a:"), sg_string("a") },
        { sg_string("a\n"), sg_string("a") },
        { sg_string("\xc3\xa9"), sg_string("a") },
        { sg_string("a"), sg_string("b\nSet-Cookie: c") },
        { sg_string("a"), sg_string("b\rc") },
        { sg_string("a"), sg_string("\0") },
        { sg_string("a"), sg_string("\x7f") }
    };

    size_t    i;
    sg_buf_t  lines;

    (void) state;

    sg_buf_init(&lines);

    for (i = 0; i < N(rows); i++) {
        sg_record_header_add(&lines, rows[i].name, rows[i].value);
    }

    assert_int_equal(lines.len, 0);
    sg_buf_free(&lines);
}


static void
malformed_headers(void **state)
{
    static const sg_str_t  rows[] = {
        sg_string("\n"),
        sg_string("a"),
        sg_string("a: b"),
        sg_string("a: "),
        sg_string("a\n"),
        sg_string("a:\n"),
        sg_string("a:b\n"),
        sg_string(": b\n"),
        sg_string(" a: b\n"),
        sg_string("a : b\n"),
        sg_string("a b: c\n"),
        sg_string("a: b\r\n"),
        sg_string("a: b\0\n"),
        sg_string("a: \x1b[0m\n"),
        sg_string("a\0: b\n"),
        sg_string("a\nb: c\n"),
        sg_string("\xc3\xa9: b\n"),
        sg_string("\0"),
        sg_string("\3"),
        sg_string("\3a: b\n"),
        sg_string("\x1f")
    };

    char      row[16];
    size_t    i;
    sg_str_t  exact, rest, name, value;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        exact = str_exact(rows[i]);
        rest = exact;
        check_int(row, sg_record_header_next(&rest, &name, &value), -1);
        str_exact_free(exact);
    }

    rest = STR("a: b\nc\n");
    assert_int_equal(sg_record_header_next(&rest, &name, &value), 1);
    assert_int_equal(sg_record_header_next(&rest, &name, &value), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(names_never_meet),
        cmocka_unit_test(bytes),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(headers_round_trip),
        cmocka_unit_test(usual_headers),
        cmocka_unit_test(headers_left_out),
        cmocka_unit_test(malformed_headers)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
