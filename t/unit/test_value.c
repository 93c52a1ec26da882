
#include "test.h"

#include "contract/sg_value.h"


#define CHECK        "\x01\x02\x03\x04\x05\x06\x07\x08"
#define FINGERPRINT  "fingerprint-of-thirty-two-bytes!"
#define TOKEN        "token-of-sixteen"

#define CLAIMED      "1c\0a" CHECK FINGERPRINT TOKEN                          \
                     "\x00\x00\x05\x26\x5c\x00" "\x00\x00\x00\x00\x27\x10"
#define UNKNOWN      "1u\0-" CHECK FINGERPRINT
#define ANSWERED     "1a\0-" CHECK FINGERPRINT TOKEN "\x00\xc9"               \
                     "\x00\x00\x00\x05" "\x00\x00\x00\x04" "A: b\nbody"
#define TOMBSTONE    "1t\0-" CHECK FINGERPRINT TOKEN "\x01\x94"

#define ITEM         "\x01\x00\x03" "abc"

#define SEAL_BYTES   "of-which-key" "a-salt-and-a-tag-they-make-4" /* 40 */
#define SEAL         "\x02\x00\x28" SEAL_BYTES
#define SEALED       "1a\1-" CHECK FINGERPRINT TOKEN "\x00\xc9"               \
                     "\x00\x00\x00\x05" "\x00\x00\x00\x04" "hide?body"


static sg_value_t
value_of(sg_value_state_e state)
{
    sg_value_t  v;

    memset(&v, 0, sizeof(sg_value_t));

    v.state = state;
    v.from = sg_value_from_absent;
    v.check = STR(CHECK);
    v.fingerprint = STR(FINGERPRINT);
    v.token = STR(TOKEN);
    v.ttl = 86400000;
    v.lease = 10000;
    v.status = (state == sg_value_tombstone) ? 404 : 201;
    v.headers = STR("A: b\n");
    v.body = STR("body");

    return v;
}


static void
heads(void **state)
{
    static const struct {
        const char        *row;
        sg_value_state_e   state;
        sg_str_t           bytes;
        size_t             head;
    } rows[] = {
        { "claimed", sg_value_claimed, sg_string(CLAIMED), 72 },
        { "unknown", sg_value_unknown, sg_string(UNKNOWN), 44 },
        { "answered", sg_value_answered, sg_string(ANSWERED), 70 },
        { "tombstone", sg_value_tombstone, sg_string(TOMBSTONE), 62 }
    };

    size_t         i;
    sg_value_t     v;
    unsigned char  out[SG_VALUE_HEAD];

    (void) state;

    for (i = 0; i < N(rows); i++) {
        v = value_of(rows[i].state);
        memset(out, 0xaa, sizeof(out));

        check_int(rows[i].row, (long long) sg_value_head(out, &v),
                  (long long) rows[i].head);
        check_int(rows[i].row, memcmp(out, rows[i].bytes.data, rows[i].head),
                  0);
    }
}


static void
read_back(void **state)
{
    sg_str_t    text;
    sg_value_t  v;

    (void) state;

    text = str_exact(STR(CLAIMED ITEM));
    assert_null(sg_value_decode(&v, text));
    assert_int_equal(v.state, sg_value_claimed);
    assert_int_equal(v.from, sg_value_from_absent);
    assert_true(sg_str_eq(v.check, STR(CHECK)));
    assert_true(sg_str_eq(v.fingerprint, STR(FINGERPRINT)));
    assert_true(sg_str_eq(v.token, STR(TOKEN)));
    assert_true(v.ttl == 86400000);
    assert_true(v.lease == 10000);
    assert_true(sg_str_eq(v.items, STR(ITEM)));
    str_exact_free(text);

    text = str_exact(STR(ANSWERED));
    assert_null(sg_value_decode(&v, text));
    assert_int_equal(v.status, 201);
    assert_true(sg_str_eq(v.headers, STR("A: b\n")));
    assert_true(sg_str_eq(v.body, STR("body")));
    assert_int_equal(v.items.len, 0);
    str_exact_free(text);

    text = str_exact(STR(TOMBSTONE "\xff\x00\x00"));
    assert_null(sg_value_decode(&v, text));
    assert_int_equal(v.status, 404);
    assert_int_equal(v.body.len, 0);
    assert_int_equal(v.items.len, 3);
    str_exact_free(text);

    text = str_exact(STR(UNKNOWN));
    assert_null(sg_value_decode(&v, text));
    assert_int_equal(v.token.len, 0);
    str_exact_free(text);
}


static void
ends(void **state)
{
    (void) state;

    assert_int_equal(sg_value_is_end(STR(ANSWERED)), 1);
    assert_int_equal(sg_value_is_end(STR(SEALED SEAL)), 1);
    assert_int_equal(sg_value_is_end(STR(TOMBSTONE)), 1);
    assert_int_equal(sg_value_is_end(STR("1a")), 1);

    assert_int_equal(sg_value_is_end(STR(CLAIMED)), 0);
    assert_int_equal(sg_value_is_end(STR(UNKNOWN)), 0);
    assert_int_equal(sg_value_is_end(STR("1")), 0);
    assert_int_equal(sg_value_is_end(STR("")), 0);
}


static void
times(void **state)
{
    sg_value_t     v, read;
    unsigned char  out[SG_VALUE_HEAD];

    (void) state;

    v = value_of(sg_value_claimed);
    v.from = sg_value_from_unknown;
    v.ttl = SG_VALUE_TIME_MAX;
    v.lease = 1;

    assert_null(sg_value_decode(&read, (sg_str_t) { out,
                                           sg_value_head(out, &v) }));
    assert_int_equal(read.from, sg_value_from_unknown);
    assert_true(read.ttl == SG_VALUE_TIME_MAX);
    assert_true(read.lease == 1);
}


/* of a text that is not of its length nothing is kept */

static void
lengths_of_parts(void **state)
{
    sg_value_t     v;
    unsigned char  out[SG_VALUE_HEAD];

    static const unsigned char  zeroes[SG_VALUE_TOKEN];

    (void) state;

    v = value_of(sg_value_claimed);
    v.token = STR("short");

    (void) sg_value_head(out, &v);
    assert_memory_equal(out + 44, zeroes, sizeof(zeroes));
}


static void
refused(void **state)
{
    static const struct {
        const char  *row;
        sg_str_t     text;
        const char  *part;
    } rows[] = {
        { "nothing", sg_string(""), "version" },
        { "a later version", sg_string("2c\0a"), "version" },
        { "another's text", sg_string("hello"), "version" },
        { "a version alone", sg_string("1"), "state" },
        { "another state", sg_string("1x\0-" CHECK FINGERPRINT TOKEN),
          "state" },
        { "a head that is cut", sg_string("1u\0-" CHECK), "length" },
        { "a flag", sg_string("1u\1-" CHECK FINGERPRINT), "flags" },
        { "another flag", sg_string("1a\2-" CHECK FINGERPRINT TOKEN "\x00\xc9"
          "\0\0\0\0\0\0\0\0"), "flags" },
        { "a sealed tombstone", sg_string("1t\1-" CHECK FINGERPRINT TOKEN
          "\x01\x94" SEAL), "flags" },
        { "sealed, without a seal", sg_string("1a\1-" CHECK FINGERPRINT TOKEN
          "\x00\xc9" "\0\0\0\0\0\0\0\0" ITEM), "items" },
        { "sealed, with a short one", sg_string("1a\1-" CHECK FINGERPRINT TOKEN
          "\x00\xc9" "\0\0\0\0\0\0\0\0" "\x02\x00\x03" "abc"), "items" },
        { "an answer from somewhere",
          sg_string("1t\0a" CHECK FINGERPRINT TOKEN "\x01\x94"), "from" },
        { "a claim from nowhere",
          sg_string("1c\0-" CHECK FINGERPRINT TOKEN "123456" "123456"),
          "from" },
        { "no ttl",
          sg_string("1c\0u" CHECK FINGERPRINT TOKEN "\0\0\0\0\0\0" "123456"),
          "times" },
        { "no lease",
          sg_string("1c\0u" CHECK FINGERPRINT TOKEN "123456" "\0\0\0\0\0\0"),
          "times" },
        { "an interim status",
          sg_string("1t\0-" CHECK FINGERPRINT TOKEN "\x00\xc7"), "status" },
        { "a status too high",
          sg_string("1t\0-" CHECK FINGERPRINT TOKEN "\x02\x58"), "status" },
        { "headers that are cut",
          sg_string("1a\0-" CHECK FINGERPRINT TOKEN "\x00\xc9"
                    "\x00\x00\x00\x05\x00\x00\x00\x00" "A: b"), "length" },
        { "a body that is cut",
          sg_string("1a\0-" CHECK FINGERPRINT TOKEN "\x00\xc9"
                    "\x00\x00\x00\x05\xff\xff\xff\xff" "A: b\nbody"),
          "length" },
        { "an item without its length", sg_string(CLAIMED "\x01\x00"),
          "items" },
        { "an item that is cut", sg_string(CLAIMED ITEM "\x02\x00\x02" "a"),
          "items" },
        { "bytes behind a body", sg_string(ANSWERED "x"), "items" }
    };

    size_t       i;
    sg_str_t     text;
    sg_value_t   v;
    const char  *part;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        text = str_exact(rows[i].text);
        part = sg_value_decode(&v, text);
        check_str(rows[i].row, str(part ? part : "nothing"), rows[i].part);
        str_exact_free(text);
    }
}


/* each value, cut at each place, is refused, but where items end */

static void
cut(void **state)
{
    static const sg_str_t  values[] = {
        sg_string(CLAIMED ITEM), sg_string(UNKNOWN), sg_string(ANSWERED),
        sg_string(TOMBSTONE)
    };

    size_t      i, len;
    sg_str_t    text;
    sg_value_t  v;

    (void) state;

    for (i = 0; i < N(values); i++) {
        for (len = 0; len < values[i].len; len++) {

            if (len == sizeof(CLAIMED) - 1 && i == 0) {
                continue;
            }

            text.data = values[i].data;
            text.len = len;
            text = str_exact(text);
            assert_non_null(sg_value_decode(&v, text));
            str_exact_free(text);
        }
    }
}


static void
items(void **state)
{
    unsigned       type;
    sg_str_t       rest, bytes;
    unsigned char  head[SG_VALUE_ITEM];

    (void) state;

    sg_value_item_head(head, sg_item_channel, 0x0102);
    assert_memory_equal(head, "\x01\x01\x02", SG_VALUE_ITEM);

    rest = STR(ITEM "\x02\x00\x00");

    assert_int_equal(sg_value_item_next(&rest, &type, &bytes), 1);
    assert_int_equal(type, sg_item_channel);
    assert_true(sg_str_eq(bytes, STR("abc")));

    assert_int_equal(sg_value_item_next(&rest, &type, &bytes), 1);
    assert_int_equal(type, 2);
    assert_int_equal(bytes.len, 0);

    assert_int_equal(sg_value_item_next(&rest, &type, &bytes), 0);
}


static void
names(void **state)
{
    unsigned char  check[SG_VALUE_CHECK];

    (void) state;

    /* of SHA-256("abc"), FIPS 180-4 */

    assert_int_equal(sg_value_check(check, STR("abc")), 0);
    assert_memory_equal(check, "\xba\x78\x16\xbf\x8f\x01\xcf\xea",
                        SG_VALUE_CHECK);
}


/* its seal is found behind whatever else there is */

static void
sealed(void **state)
{
    sg_value_t     v;
    unsigned char  out[SG_VALUE_HEAD];

    static const sg_str_t  text = sg_string(SEALED ITEM SEAL ITEM);

    (void) state;

    assert_null(sg_value_decode(&v, text));

    assert_int_equal(v.sealed, 1);
    check_str("seal", v.seal, SEAL_BYTES);
    check_str("headers", v.headers, "hide?");
    check_str("body", v.body, "body");
    assert_int_equal(v.head.len, 70);
    assert_ptr_equal(v.head.data, text.data);

    assert_int_equal(sg_value_head(out, &v), 70);
    assert_memory_equal(out, text.data, 70);

    /* without its flag it is not in the clear */

    check_str("no flag", str(sg_value_decode(&v, STR(ANSWERED SEAL))),
              "flags");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sealed),
        cmocka_unit_test(heads),
        cmocka_unit_test(read_back),
        cmocka_unit_test(ends),
        cmocka_unit_test(times),
        cmocka_unit_test(lengths_of_parts),
        cmocka_unit_test(refused),
        cmocka_unit_test(cut),
        cmocka_unit_test(items),
        cmocka_unit_test(names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
