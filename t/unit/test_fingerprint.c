
#include "test.h"

#include "contract/sg_body.h"
#include "contract/sg_fingerprint.h"
#include "contract/sg_json.h"


static json_t *
parse(const char *text)
{
    json_t    *value;
    sg_buf_t   message;

    sg_buf_init(&message);
    value = sg_json_parse(str(text), 16, &message);
    check_buf(text, &message, "");
    sg_buf_free(&message);

    return value;
}


static void
fingerprint(unsigned char out[SG_FINGERPRINT_LEN], const char *text)
{
    json_t  *value;

    value = parse(text);
    assert_int_equal(sg_fingerprint(out, value), 0);
    json_decref(value);
}


/* the whole body's, where it is one: the reader has another way to it */

static void
check_body_fingerprint(const char *name, const char *body, const char *sha256)
{
    sg_errors_t     errors;
    sg_body_text_t  text;
    unsigned char   out[SG_FINGERPRINT_LEN];

    text.head = str(body);
    text.rest = str("");

    sg_errors_init(&errors);

    if (sg_body_check(sg_op_create, &text, 1, &errors, out) == sg_body_ok) {
        check_bytes(name, out, sizeof(out), sha256);
    }

    sg_errors_free(&errors);
}


static void
published_vectors(void **state)
{
    size_t          i;
    json_t         *vectors, *vector, *value;
    sg_buf_t        canonical;
    const char     *name, *body, *text, *sha256, *path;
    unsigned char   out[SG_FINGERPRINT_LEN];

    (void) state;

    path = getenv("TEST_VECTORS");
    assert_non_null(path);

    vectors = json_load_file(path, 0, NULL);
    assert_non_null(vectors);
    assert_true(json_array_size(json_object_get(vectors, "fingerprint"))
                >= 40);

    json_array_foreach(json_object_get(vectors, "fingerprint"), i, vector) {

        assert_int_equal(json_unpack(vector, "{s:s, s:s, s:s, s:s}",
                                     "name", &name, "body", &body,
                                     "canonical", &text, "sha256", &sha256),
                         0);

        sg_buf_init(&canonical);
        value = parse(body);
        sg_canonical(&canonical, value);
        check_buf(name, &canonical, text);

        assert_int_equal(sg_fingerprint(out, value), 0);
        check_bytes(name, out, sizeof(out), sha256);

        check_body_fingerprint(name, body, sha256);

        json_decref(value);
        sg_buf_free(&canonical);
    }

    json_decref(vectors);
}


static void
same_or_not(void **state)
{
    static const struct {
        const char  *one, *two;
        int          same;
    } rows[] = {
        { "{\"a\":1,\"b\":2}", " { \"b\" : 2 , \"a\" : 1 } ", 1 },
        { "{\"A\":\"\\u0041\"}", "{\"\\u0041\":\"A\"}", 1 },
        { "[\"\\/\"]", "[\"/\"]", 1 },
        { "[1.0]", "[10e-1]", 1 },
        { "[1]", "[1.0]", 0 },
        { "[0]", "[-0]", 1 },
        { "[0.0]", "[-0.0]", 0 },
        { "[9007199254740992]", "[9007199254740993]", 0 },
        { "[9007199254740992.0]", "[9007199254740993.0]", 1 },
        { "[0.1]", "[0.1000000000000000055511151231257827]", 1 },
        { "[0.1]", "[0.10000000000000002]", 0 },
        { "[1,2]", "[2,1]", 0 },
        { "[[1],2]", "[1,[2]]", 0 },
        { "[\"a\",\"b\"]", "[\"a\\\",\\\"b\"]", 0 },
        { "{\"a\":{\"b\":1}}", "{\"a\":1,\"b\":1}", 0 },
        { "{\"a\":\"1\"}", "{\"a\":1}", 0 },
        { "{\"a\":null}", "{}", 0 },
        { "[]", "{}", 0 },
        { "[\"\xc3\xa9\"]", "[\"e\xcc\x81\"]", 0 },
        { "[\"\xc3\xa9\"]", "[\"\\u00E9\"]", 1 },
        { "[true]", "[\"true\"]", 0 }
    };

    size_t         i;
    unsigned char  one[SG_FINGERPRINT_LEN], two[SG_FINGERPRINT_LEN];

    (void) state;

    for (i = 0; i < N(rows); i++) {
        fingerprint(one, rows[i].one);
        fingerprint(two, rows[i].two);
        check_int(rows[i].one, memcmp(one, two, sizeof(one)) == 0,
                  rows[i].same);
    }
}


static void
with_a_query(void **state)
{
    static const struct {
        const char  *one, *two;
        int          same;
    } rows[] = {
        { "a=1", "a=1", 1 },
        { "a=1", "a=2", 0 },
        { "a=1", "a=1&", 0 },
        { "a=1&b=2", "b=2&a=1", 0 }
    };

    size_t         i;
    unsigned char  one[SG_FINGERPRINT_LEN], two[SG_FINGERPRINT_LEN],
                   none[SG_FINGERPRINT_LEN];

    (void) state;

    fingerprint(none, "{}");

    for (i = 0; i < N(rows); i++) {
        memcpy(one, none, sizeof(one));
        memcpy(two, none, sizeof(two));

        assert_int_equal(sg_fingerprint_query(one, str(rows[i].one)), 0);
        assert_int_equal(sg_fingerprint_query(two, str(rows[i].two)), 0);

        check_int(rows[i].two, memcmp(one, two, sizeof(one)) == 0,
                  rows[i].same);
        check_int(rows[i].one, memcmp(one, none, sizeof(one)) == 0, 0);
    }
}


/* the canonical form of a real reads back as that real, and so do its like */

static void
reals_read_back(void **state)
{
    double     d, back;
    json_t    *value;
    sg_buf_t   text;
    uint64_t   bits, seed;
    unsigned   i;

    (void) state;

    seed = 88172645463325252ULL;

    for (i = 0; i < 20000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;

        bits = (i % 4) ? seed : (seed & 0x800fffffffffffffULL);
        memcpy(&d, &bits, sizeof(d));

        value = json_real(d);           /* NULL for what is no number */
        if (value == NULL) {
            continue;
        }

        sg_buf_init(&text);
        sg_canonical(&text, value);
        sg_buf_add(&text, "", 1);

        back = strtod((const char *) text.data, NULL);
        assert_memory_equal(&back, &d, sizeof(d));
        assert_non_null(strpbrk((const char *) text.data, ".e"));

        sg_buf_free(&text);
        json_decref(value);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(same_or_not),
        cmocka_unit_test(with_a_query),
        cmocka_unit_test(reals_read_back)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
