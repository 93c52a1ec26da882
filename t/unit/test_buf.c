
#include "test.h"


static void
buffer_grows(void **state)
{
    size_t    i;
    sg_buf_t  buf;

    (void) state;

    sg_buf_init(&buf);

    for (i = 0; i < 1000; i++) {
        sg_buf_add(&buf, "abc", 3);
    }

    assert_int_equal(buf.len, 3000);
    assert_int_equal(buf.failed, 0);

    for (i = 0; i < 3000; i++) {
        assert_int_equal(buf.data[i], "abc"[i % 3]);
    }

    sg_buf_free(&buf);

    assert_null(buf.data);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.size, 0);
}


static void
nothing_is_added(void **state)
{
    sg_buf_t  buf = { NULL, 0, 0, 0, 0 };
    sg_str_t  none = { NULL, 0 };

    (void) state;

    sg_buf_add(&buf, NULL, 0);
    sg_buf_add_str(&buf, none);
    sg_buf_add_cstr(&buf, "");

    assert_null(buf.data);
    assert_int_equal(buf.len, 0);

    sg_buf_free(&buf);
}


static void
impossible_length_fails(void **state)
{
    sg_buf_t         buf;
    volatile size_t  len;

    (void) state;

    len = SIZE_MAX - 2;                 /* the compiler would warn of it */

    sg_buf_init(&buf);
    sg_buf_add_cstr(&buf, "kept");
    sg_buf_add(&buf, "x", len);

    assert_int_equal(buf.failed, 1);

    sg_buf_add_cstr(&buf, "swallowed");

    check_buf("after a failure", &buf, "kept");

    sg_buf_free(&buf);
    assert_int_equal(buf.failed, 0);
}


static void
spans(void **state)
{
    static const unsigned char  letters[256] = { ['a'] = 1, ['b'] = 1 };

    size_t    i, len;
    char      text[16];
    sg_str_t  exact;

    (void) state;

    assert_int_equal(sg_str_span((sg_str_t) { NULL, 0 }, letters), 0);

    for (len = 1; len < sizeof(text); len++) {
        memset(text, 'a', len - 1);
        text[len - 1] = 'b';
        text[len] = '\0';

        exact = str_exact(str(text));
        assert_int_equal(sg_str_span(exact, letters), len);
        free((void *) exact.data);

        for (i = 0; i < len; i++) {
            text[i] = '-';
            assert_int_equal(sg_str_span(str(text), letters), i);
            text[i] = 'a';
        }
    }
}


static void
numbers(void **state)
{
    static const struct {
        unsigned long long  n;
        const char         *text;
    } rows[] = {
        { 0, "0" },
        { 9, "9" },
        { 10, "10" },
        { 4294967296ULL, "4294967296" },
        { 18446744073709551615ULL, "18446744073709551615" }
    };

    size_t    i;
    sg_buf_t  buf;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        sg_buf_init(&buf);
        sg_buf_add_uint(&buf, rows[i].n);
        check_buf(rows[i].text, &buf, rows[i].text);
        sg_buf_free(&buf);
    }
}


static void
comparisons(void **state)
{
    static const struct {
        sg_str_t  a, b;
        int       eq, caseeq;
    } rows[] = {
        { { NULL, 0 }, sg_string(""), 1, 1 },
        { sg_string("a"), sg_string("a"), 1, 1 },
        { sg_string("a"), sg_string("A"), 0, 1 },
        { sg_string("a"), sg_string("ab"), 0, 0 },
        { sg_string("a\0b"), sg_string("a\0b"), 1, 1 },
        { sg_string("a\0b"), sg_string("a\0c"), 0, 0 },
        { sg_string("[@"), sg_string("{`"), 0, 0 },
        { sg_string("\xc3\xa9"), sg_string("\xc3\x89"), 0, 0 }
    };

    size_t  i;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        assert_int_equal(sg_str_eq(rows[i].a, rows[i].b), rows[i].eq);
        assert_int_equal(sg_str_caseeq(rows[i].a, rows[i].b), rows[i].caseeq);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(buffer_grows),
        cmocka_unit_test(nothing_is_added),
        cmocka_unit_test(impossible_length_fails),
        cmocka_unit_test(spans),
        cmocka_unit_test(numbers),
        cmocka_unit_test(comparisons)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
