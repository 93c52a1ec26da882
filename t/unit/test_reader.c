
#include "test.h"

#include <jansson.h>

#include "contract/sg_body.h"


#define CONDITION  "{\"metric\":\"m\",\"comparator\":\"eq\",\"value\":\"v\"}"


static sg_reader_e
reader_body(sg_str_t body, sg_errors_t *errors, unsigned char *fingerprint)
{
    sg_reader_e     rc;
    sg_body_text_t  text;

    text.head = str_exact(body);
    text.rest = str("");

    sg_errors_init(errors);
    rc = sg_reader_body(&text, errors, fingerprint);

    str_exact_free(text.head);

    return rc;
}


/* as many ways to print the same, none of which is jansson's to read */

static void
serializers(void **state)
{
    size_t          i;
    json_t         *file, *row;
    const char     *path, *name, *body;
    sg_errors_t     errors;
    unsigned char   first[SG_FINGERPRINT_LEN], other[SG_FINGERPRINT_LEN];

    (void) state;

    path = getenv("TEST_SERIALIZERS");
    assert_non_null(path);

    file = json_load_file(path, 0, NULL);
    assert_non_null(file);
    assert_true(json_array_size(json_object_get(file, "bodies")) >= 40);

    json_array_foreach(json_object_get(file, "bodies"), i, row) {

        assert_int_equal(json_unpack(row, "{s:s, s:s}", "serializer", &name,
                                     "body", &body), 0);

        check_int(name, reader_body(str(body), &errors, other), sg_reader_ok);
        sg_errors_free(&errors);

        if (i == 0) {
            memcpy(first, other, sizeof(first));

            sg_errors_init(&errors);
            assert_int_equal(sg_body_check_tree(sg_op_create, str(body), 0,
                                                &errors, other), sg_body_ok);
            sg_errors_free(&errors);
        }

        check_int(name, memcmp(first, other, sizeof(first)), 0);
    }

    json_decref(file);
}


/* violations that the reader knows in their order */

static void
refused(void **state)
{
    size_t       i;
    sg_errors_t  errors;

    static const char *const  bodies[] = {
        "{}",
        "{\"name\":null}",
        "{\"name\":true,\"conditions\":false}",
        "{\"conditions\":\"x\"}",
        "{\"name\":\"A\",\"conditions\":[{}]}",
        "{\"name\":\"A\",\"conditions\":[null,\"x\",true,false,{}]}",
        "{\"name\":null,\"conditions\":[{\"metric\":null}]}",
        "{\"conditions\":[{\"comparator\":\"EQ\"}],\"name\":\"A\"}"
    };

    (void) state;

    for (i = 0; i < N(bodies); i++) {
        check_int(bodies[i], reader_body(str(bodies[i]), &errors, NULL),
                  sg_reader_invalid);
        sg_errors_free(&errors);
    }
}


static void
left(void **state)
{
    size_t       i;
    sg_errors_t  errors;

    static const sg_str_t  bodies[] = {

        /* no JSON */

        sg_string(""),
        sg_string(" "),
        sg_string("{"),
        sg_string("{\"name\":\"A\"}}"),
        sg_string("{\"name\":\"A\"} x"),
        sg_string("{\"name\":\"A\",}"),
        sg_string("{\"name\" \"A\"}"),
        sg_string("{\"name\":\"A}"),
        sg_string("{\"name\":\"\\\"}"),
        sg_string("{\"name\":\"\\x\"}"),
        sg_string("{\"name\":\"\\u12g4\"}"),
        sg_string("{\"name\":\"\\u12\"}"),
        sg_string("{\"name\":\"a\tb\"}"),
        sg_string("{\"name\":\"a\0b\"}"),
        sg_string("{\"name\":\"\\\0\"}"),
        sg_string("{\"name\":true\0}"),
        sg_string("{\"name\":\"\xff\"}"),
        sg_string("{\"name\":\"\xc0\xaf\"}"),
        sg_string("{\"name\":\"\xed\xa0\x80\"}"),
        sg_string("\xef\xbb\xbf{\"name\":\"A\"}"),
        sg_string("{\"name\":tru}"),
        sg_string("{\"name\":nul"),
        sg_string("{\""),
        sg_string("{\"name"),
        sg_string("{\"name\""),
        sg_string("{\"name\":"),
        sg_string("{\"name\":\""),
        sg_string("{\"name\":\"A\""),
        sg_string("{\"name\":truee}"),
        sg_string("{\"name\":\"A\",\"conditions\":[" CONDITION ",]}"),
        sg_string("{\"name\":\"A\",\"conditions\":[" CONDITION),

        /* JSON that two readers could take differently */

        sg_string("{\"name\":\"A\",\"name\":\"A\"}"),
        sg_string("{\"name\":\"A\",\"conditions\":[],\"conditions\":[]}"),
        sg_string("{\"name\":\"\\u0000\"}"),
        sg_string("{\"name\":\"\\ud800\"}"),
        sg_string("{\"name\":\"\\ud800\\u0041\"}"),
        sg_string("{\"name\":\"\\udc00\"}"),

        /* what the documentation does not show */

        sg_string("[]"),
        sg_string("\"name\""),
        sg_string("{\"name\":1}"),
        sg_string("{\"name\":[]}"),
        sg_string("{\"name\":{}}"),
        sg_string("{\"name\":\"A\",\"x\":true}"),
        sg_string("{\"n\\u0061me\":\"A\"}"),
        sg_string("{\"Name\":\"A\"}"),
        sg_string("{\"names\":\"A\"}"),
        sg_string("{\"nam\":\"A\"}"),
        sg_string("{\"\":\"A\"}"),
        sg_string("{\"metric\":\"A\"}"),
        sg_string("{\"name\":\"A\",\"conditions\":[{\"name\":\"A\"}]}"),
        sg_string("{\"name\":\"A\",\"conditions\":[{\"values\":\"A\"}]}"),
        sg_string("{\"name\":\"A\",\"conditions\":{}}"),
        sg_string("{\"name\":\"A\",\"conditions\":[[]]}"),
        sg_string("{\"name\":\"A\",\"conditions\":[0]}"),

        /* violations that would come out of order */

        sg_string("{\"conditions\":[{}]}"),
        sg_string("{\"conditions\":[{}],\"name\":null}")
    };

    (void) state;

    for (i = 0; i < N(bodies); i++) {
        check_int((const char *) bodies[i].data,
                  reader_body(bodies[i], &errors, NULL), sg_reader_left);
        sg_errors_free(&errors);
    }
}


/* conditions between which there is white space of any kind */

static void
by_hand(void **state)
{
    size_t         i;
    sg_errors_t    errors;
    unsigned char  one[SG_FINGERPRINT_LEN], other[SG_FINGERPRINT_LEN];

    static const char  *bodies[] = {
        "{\"name\":\"n\",\"conditions\":[" CONDITION "," CONDITION "]}",
        "{\"name\":\"n\",\"conditions\":[" CONDITION " ," CONDITION "]}",
        "{\"name\":\"n\",\"conditions\":[" CONDITION "\n, " CONDITION " ]}",
        "{\"name\":\"n\",\"conditions\":[ " CONDITION "\t,\r\n" CONDITION
            "\n]\n}"
    };

    (void) state;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        check_int(bodies[i], reader_body(str(bodies[i]), &errors, other),
                  sg_reader_ok);
        sg_errors_free(&errors);

        if (i == 0) {
            memcpy(one, other, sizeof(one));
        }

        check_int(bodies[i], memcmp(one, other, sizeof(one)), 0);
    }
}


/* strings of any length, which may fill what is digested at a time */

static void
lengths(void **state)
{
    size_t         len;
    char           x[2600], body[3 * sizeof(x)];
    sg_errors_t    errors;
    unsigned char  one[SG_FINGERPRINT_LEN], other[SG_FINGERPRINT_LEN];

    static const char  *format = "{\"name\":\"%.256s\",\"conditions\":["
        "{\"metric\":\"%s\",\"comparator\":\"eq\",\"value\":\"%s\"},"
        "{\"metric\":\"%s\\n\",\"comparator\":\"not_contains\","
        "\"value\":\"\",\"negate\":true}]}";

    (void) state;

    for (len = 0; len < sizeof(x); len++) {
        x[len] = (char) ('a' + len % 23);
    }

    x[sizeof(x) - 1] = '\0';

    for (len = 0; len < sizeof(x) - 1; len += (len < 1100) ? 1 : 97) {

        snprintf(body, sizeof(body), format, x + sizeof(x) - 1 - len % 257,
                 x + sizeof(x) - 1 - len, x + sizeof(x) - 1 - len / 2,
                 x + sizeof(x) - 1 - len / 3);

        check_int(body, reader_body(str(body), &errors, one), sg_reader_ok);
        sg_errors_free(&errors);

        sg_errors_init(&errors);
        check_int(body, sg_body_check_tree(sg_op_create, str(body), 0, &errors,
                                           other), sg_body_ok);
        sg_errors_free(&errors);

        check_int(body, memcmp(one, other, sizeof(one)), 0);
    }
}


/* a large body in two pieces: the seam is met at any of its places */

static void
in_two_pieces(void **state)
{
    size_t          cut, i;
    sg_buf_t        body;
    sg_str_t        whole, part;
    sg_errors_t     errors;
    sg_body_text_t  text;
    unsigned char   one[SG_FINGERPRINT_LEN], other[SG_FINGERPRINT_LEN];

    (void) state;

    sg_buf_init(&body);
    sg_buf_add_cstr(&body, "{\"name\":\"A\\n\",\"conditions\":[" CONDITION);

    for (i = 1; i < 400; i++) {
        sg_buf_add_cstr(&body, ", " CONDITION);
    }

    sg_buf_add_cstr(&body, "] }\n");
    whole = buf_str(&body);

    sg_errors_init(&errors);
    assert_int_equal(sg_body_check_tree(sg_op_create, whole, 0, &errors, one),
                     sg_body_ok);

    for (cut = 0; cut <= whole.len; cut += (cut < 200) ? 1 : 97) {

        part.data = whole.data;
        part.len = cut;
        text.head = str_exact(part);

        part.data += cut;
        part.len = whole.len - cut;
        text.rest = str_exact(part);

        sg_errors_init(&errors);

        /* a long first piece is only looked at where it is the whole */

        check_int("cut", sg_reader_body(&text, &errors, other),
                  (cut <= 8192 || cut == whole.len) ? sg_reader_ok
                                                    : sg_reader_left);

        if (cut <= 8192 || cut == whole.len) {
            assert_memory_equal(one, other, sizeof(one));
        }

        sg_errors_free(&errors);
        str_exact_free(text.head);
        str_exact_free(text.rest);
    }

    sg_buf_free(&body);
}


/* a long member at the seam is read, or left; what is behind it is not */

static void
long_at_the_seam(void **state)
{
    size_t          len;
    char            body[10000], fill[5000];
    sg_str_t        whole;
    sg_errors_t     errors;
    sg_reader_e     rc;
    sg_body_text_t  text;
    unsigned char   one[SG_FINGERPRINT_LEN], other[SG_FINGERPRINT_LEN];

    static const size_t  cut = 100;
    static const char    before[] = "{\"name\":\"A\",\"conditions\":["
        "{\"metric\":\"m\",\"comparator\":\"eq\",\"value\":\"";

    (void) state;

    memset(fill, 'x', sizeof(fill));

    for (len = 400; len < 4500; len += (len < 600 || len > 4000) ? 1 : 500) {

        snprintf(body, sizeof(body), "%s%.*s\"}," CONDITION "]}", before,
                 (int) len, fill);
        whole = str(body);

        sg_errors_init(&errors);
        assert_int_equal(sg_body_check_tree(sg_op_create, whole, 0, &errors,
                                            one), sg_body_ok);
        sg_errors_free(&errors);

        text.head = str_exact((sg_str_t) { whole.data, cut });
        text.rest = str_exact((sg_str_t) { whole.data + cut,
                                           whole.len - cut });

        sg_errors_init(&errors);
        rc = sg_reader_body(&text, &errors, other);
        sg_errors_free(&errors);

        /* of the second piece, up to the comma */

        check_int("read", rc,
                  strlen(before) + len + strlen("\"},") - cut <= 4096
                  ? sg_reader_ok : sg_reader_left);

        if (rc == sg_reader_ok) {
            assert_memory_equal(one, other, sizeof(one));
        }

        str_exact_free(text.head);
        str_exact_free(text.rest);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(serializers),
        cmocka_unit_test(refused),
        cmocka_unit_test(left),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(lengths),
        cmocka_unit_test(in_two_pieces),
        cmocka_unit_test(long_at_the_seam)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
