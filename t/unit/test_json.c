
#include "test.h"

#include "contract/sg_json.h"


#define AT(line, column, reason)                                              \
    "Request body is not valid JSON: line " #line ", column " #column ": "    \
    reason

#define OPEN_16   "[[[[[[[[[[[[[[[["
#define CLOSE_16  "]]]]]]]]]]]]]]]]"


static const struct {
    sg_str_t     text;
    const char  *message;               /* NULL: accepted */
} rows[] = {
    { sg_string("{}"), NULL },
    { sg_string(" \t\r\n{ }\n"), NULL },
    { sg_string("5"), NULL },
    { sg_string("\"a\""), NULL },
    { sg_string("null"), NULL },

    { { NULL, 0 }, AT(1, 0, "nothing to read") },
    { sg_string(" "), AT(1, 1, "unexpected token near end of file") },
    { sg_string("{"), AT(1, 1, "string or '}' expected near end of file") },
    { sg_string("{\"a\":1"), AT(1, 6, "'}' expected near end of file") },
    { sg_string("{} {}"), AT(1, 4, "end of file expected") },
    { sg_string("{}x"), AT(1, 3, "end of file expected") },
    { sg_string("{}\0"), AT(1, 3, "end of file expected near end of file") },
    { sg_string("\0{}"), AT(1, 1, "invalid token near end of file") },
    { sg_string("[true\0]"), AT(1, 6, "invalid token") },
    { sg_string("[null\0]"), AT(1, 6, "invalid token") },
    { sg_string("[0\0]"), AT(1, 3, "invalid token") },
    { sg_string("[-1.5e3\0]"), AT(1, 8, "invalid token") },
    { sg_string("[\"\"\0]"), AT(1, 4, "']' expected near end of file") },
    { sg_string("{'a':1}"), AT(1, 2, "string or '}' expected") },
    { sg_string("{\"a\":1,}"), AT(1, 8, "string or '}' expected") },
    { sg_string("[1,]"), AT(1, 4, "unexpected token") },
    { sg_string("{\"a\":01}"), AT(1, 6, "invalid token") },
    { sg_string("{\"a\":+1}"), AT(1, 6, "invalid token") },
    { sg_string("{\"a\":.5}"), AT(1, 6, "invalid token") },
    { sg_string("{\"a\":NaN}"), AT(1, 8, "invalid token") },
    { sg_string("{/* */}"), AT(1, 2, "string or '}' expected") },
    { sg_string("{\"a\":tru}"), AT(1, 8, "invalid token") },
    { sg_string("\xef\xbb\xbf{}"), AT(1, 1, "byte order mark") },
    { sg_string("\xff\xfe{\0}\0"), AT(1, 1, "byte order mark") },
    { sg_string("\xfe\xff\0{\0}"), AT(1, 1, "byte order mark") },
    { sg_string("{\xef\xbb\xbf}"),
      AT(1, 2, "string or '}' expected") },
    { sg_string("{\xff\xfe}"), AT(1, 1, "invalid UTF-8") },

    /* members twice, however they are spelled */

    { sg_string("{\"a\":1,\"a\":1}"), AT(1, 10, "duplicate object key") },
    { sg_string("{\"a\":1,\"\\u0061\":2}"), AT(1, 15, "duplicate object key") },
    { sg_string("{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"c\": 2}\n}"),
      AT(3, 19, "duplicate object key") },
    { sg_string("{\"\":1,\"\":2}"), AT(1, 8, "duplicate object key") },
    { sg_string("{\"a\":1,\"A\":2,\"b\":{\"a\":1}}"), NULL },

    /* strings */

    { sg_string("[\"\\ud83d\\ude00\"]"), NULL },
    { sg_string("[\"\\ud83d\"]"), AT(1, 9, "invalid Unicode") },
    { sg_string("[\"\\ud83dx\"]"), AT(1, 10, "invalid Unicode") },
    { sg_string("[\"\\ud83d\\ud83d\"]"), AT(1, 15, "invalid Unicode") },
    { sg_string("[\"\\ude00\"]"), AT(1, 9, "invalid Unicode") },
    { sg_string("{\"\\ude00\":1}"), AT(1, 9, "invalid Unicode") },
    { sg_string("[\"\\u0000\"]"), AT(1, 9, "\\u0000 is not allowed") },
    { sg_string("{\"\\u0000\":1}"),
      AT(1, 9, "NUL byte in object key not supported") },
    { sg_string("[\"\0\"]"), AT(1, 2, "control character") },
    { sg_string("[\"\n\"]"), AT(1, 2, "unexpected newline") },
    { sg_string("[\"\x1f\"]"), AT(1, 2, "control character") },
    { sg_string("[\"\\x41\"]"), AT(1, 4, "invalid escape") },
    { sg_string("[\"\\"), AT(1, 3, "invalid escape") },
    { sg_string("[\"a"), AT(1, 3, "premature end of input") },
    { sg_string("[\"\x80\"]"), AT(1, 2, "invalid UTF-8") },
    { sg_string("[\"\xc0\xaf\"]"), AT(1, 2, "invalid UTF-8") },
    { sg_string("[\"\xed\xa0\x80\"]"), AT(1, 2, "invalid UTF-8") },
    { sg_string("[\"\xf4\x90\x80\x80\"]"), AT(1, 2, "invalid UTF-8") },
    { sg_string("[\"\xc3\"]"), AT(1, 2, "invalid UTF-8") },

    /* numbers that would not be kept */

    { sg_string("[9223372036854775807, -9223372036854775808]"), NULL },
    { sg_string("[9223372036854775808]"), AT(1, 20, "too big integer") },
    { sg_string("[-9223372036854775809]"),
      AT(1, 21, "too big negative integer") },
    { sg_string("[1.7976931348623157e308]"), NULL },
    { sg_string("[1E400]"), AT(1, 6, "real number overflow") },
    { sg_string("[-1E400]"), AT(1, 7, "real number overflow") },
    { sg_string("[5e-324, 0e-400, 0.0, -0.0E999, 2.5e-324]"), NULL },
    { sg_string("[1e-400]"), AT(1, 7, "real number underflow") },
    { sg_string("[-0.01E-400]"), AT(1, 11, "real number underflow") },
    { sg_string("[2.4e-324]"), AT(1, 9, "real number underflow") },
    { sg_string("[1e-400"), AT(1, 7, "']' expected near end of file") },
    { sg_string("1e-400"), NULL },
    { sg_string("[\"1e-400\", \"\\\"1e-400\"]"), NULL },
    { sg_string("[\n\"\xc3\xa9\", 1e-400]"),
      AT(2, 11, "real number underflow") },

    /* depth */

    { sg_string(OPEN_16 CLOSE_16), NULL },
    { sg_string(OPEN_16 "1" CLOSE_16), NULL },
    { sg_string(OPEN_16 "\"[{\"" CLOSE_16), NULL },
    { sg_string(OPEN_16 "[" CLOSE_16 "]"), AT(1, 17, "nested too deep") },
    { sg_string("\n\"\xc3\xa9\xe2\x82\xac\"" OPEN_16 "{"),
      AT(2, 21, "nested too deep") },
    { sg_string("[[[[],[],[]],[{},{}],[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]"),
      NULL },
    { sg_string("]]]]" "[[]]"), AT(1, 1, "unexpected token") },
    { sg_string("[\"\\\\\"," OPEN_16), AT(1, 22, "nested too deep") },
    { sg_string("[\"\\\\\\\"" OPEN_16), AT(1, 22, "premature end of input") }
};


static void
parsing(void **state)
{
    char           row[16];
    size_t         i;
    sg_buf_t       message;
    sg_str_t       exact;
    json_t        *value;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        sg_buf_init(&message);
        exact = str_exact(rows[i].text);
        value = sg_json_parse(exact, 16, &message);

        check_buf(row, &message, rows[i].message ? rows[i].message : "");
        check_int(row, value != NULL, rows[i].message == NULL);

        json_decref(value);
        str_exact_free(exact);
        sg_buf_free(&message);
    }
}


/* a megabyte of brackets must not become a megabyte of stack */

static void
deep_text(void **state)
{
    sg_buf_t        message;
    sg_str_t        text;
    unsigned char  *data;

    (void) state;

    text.len = 1024 * 1024;
    data = malloc(text.len);
    assert_non_null(data);
    memset(data, '[', text.len);
    text.data = data;

    sg_buf_init(&message);

    assert_null(sg_json_parse(text, 16, &message));
    check_buf("deep", &message, AT(1, 17, "nested too deep"));

    sg_buf_free(&message);
    free(data);
}


/* jansson works for others in the process, with functions of their own */

static unsigned  others;


static void *
others_malloc(size_t size)
{
    others++;
    return malloc(size);
}


static void
others_free(void *p)
{
    others--;
    free(p);
}


static void
others_keep_their_functions(void **state)
{
    json_t         *value;
    sg_buf_t        message;
    json_malloc_t   alloc;
    json_free_t     release;

    (void) state;

    json_set_alloc_funcs(others_malloc, others_free);

    sg_buf_init(&message);

    value = sg_json_parse(STR("{\"a\":[1,2]}"), 16, &message);
    assert_int_not_equal(others, 0);
    json_decref(value);

    json_get_alloc_funcs(&alloc, &release);
    assert_ptr_equal(alloc, others_malloc);
    assert_ptr_equal(release, others_free);

    assert_null(sg_json_parse(STR("{\"a\":[1,2]"), 16, &message));
    assert_int_equal(others, 0);

    sg_buf_free(&message);
    json_set_alloc_funcs(malloc, free);
}


static void
writing(void **state)
{
    static const struct {
        sg_str_t     text;
        const char  *json;
    } strings[] = {
        { sg_string(""), "\"\"" },
        { sg_string("plain /'"), "\"plain /'\"" },
        { sg_string("\"\\"), "\"\\\"\\\\\"" },
        { sg_string("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
        { sg_string("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
        { sg_string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        { sg_string("\xef\xbf\xbf\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"),
          "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\"" },

        /* one U+FFFD for each byte of what is not UTF-8 */

        { sg_string("a\xff" "b"), "\"a\xef\xbf\xbd" "b\"" },
        { sg_string("\x80"), "\"\xef\xbf\xbd\"" },
        { sg_string("\xc3"), "\"\xef\xbf\xbd\"" },
        { sg_string("\xc3\x28"), "\"\xef\xbf\xbd(\"" },
        { sg_string("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { sg_string("\xe0\x80\xaf"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { sg_string("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { sg_string("\xed\xa0\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { sg_string("\xf0\x80\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { sg_string("\xf0\x80\x80\xaf"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { sg_string("\xf4\x90\x80\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }
    };

    char      row[16];
    size_t    i;
    sg_buf_t  out;
    sg_str_t  exact;

    (void) state;

    for (i = 0; i < N(strings); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        sg_buf_init(&out);
        exact = str_exact(strings[i].text);
        sg_json_string(&out, exact);
        check_buf(row, &out, strings[i].json);
        str_exact_free(exact);
        sg_buf_free(&out);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parsing),
        cmocka_unit_test(deep_text),
        cmocka_unit_test(others_keep_their_functions),
        cmocka_unit_test(writing)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
