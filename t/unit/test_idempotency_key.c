
#include "test.h"

#include <jansson.h>

#include "contract/sg_idempotency_key.h"
#include "contract/sg_sha256.h"


#define X_15   "xxxxxxxxxxxxxxx"
#define X_255  X_15 X_15 X_15 X_15 X_15 X_15 X_15 X_15 X_15 X_15 X_15 X_15    \
               X_15 X_15 X_15 X_15 X_15

#define UUID   "8e03978e-40d5-43dd-bc93-6894a57f9324"


static const struct {
    sg_str_t     value;
    const char  *key;               /* NULL: refused */
} syntax_rows[] = {
    { sg_string("abc"), "abc" },
    { sg_string("\"abc\""), "abc" },
    { sg_string(UUID), UUID },
    { sg_string("\"" UUID "\""), UUID },
    { sg_string(" \tabc\t "), "abc" },
    { sg_string(" \"abc\" "), "abc" },
    { sg_string("a"), "a" },
    { sg_string("!#$%&'()*+-./:<=>?@[]^_`{|}~"),
      "!#$%&'()*+-./:<=>?@[]^_`{|}~" },
    { sg_string("?1"), "?1" },
    { sg_string(":YWJj:"), ":YWJj:" },
    { sg_string(X_255), X_255 },
    { sg_string("  \"" X_255 "\"  "), X_255 },

    { sg_string("\"a b\""), "a b" },
    { sg_string("\" a \""), " a " },
    { sg_string("\"a,b;c\""), "a,b;c" },
    { sg_string("\"a\\\"b\""), "a\"b" },
    { sg_string("\"a\\\\b\""), "a\\b" },
    { sg_string("\"\\\\\""), "\\" },

    { { NULL, 0 }, NULL },
    { sg_string(" \t"), NULL },
    { sg_string("\"\""), NULL },
    { sg_string("\""), NULL },
    { sg_string(X_255 "x"), NULL },
    { sg_string("\"" X_255 "x\""), NULL },

    { sg_string("a b"), NULL },
    { sg_string("a\tb"), NULL },
    { sg_string("a,b"), NULL },
    { sg_string("a,"), NULL },
    { sg_string(",a"), NULL },
    { sg_string("a;b=1"), NULL },
    { sg_string("a\\b"), NULL },
    { sg_string("a\"b"), NULL },
    { sg_string("abc\""), NULL },

    { sg_string("\"abc"), NULL },
    { sg_string("\"abc\\\""), NULL },
    { sg_string("\"abc\\"), NULL },
    { sg_string("\"a\"b\""), NULL },
    { sg_string("\"a\\b\""), NULL },
    { sg_string("\"a\\u0041\""), NULL },
    { sg_string("\"a\"b"), NULL },
    { sg_string("\"a\";p=1"), NULL },
    { sg_string("\"a\" ;p"), NULL },
    { sg_string("\"a\", \"b\""), NULL },
    { sg_string("\"a\",\"a\""), NULL },
    { sg_string("\"a\"\""), NULL },
    { sg_string("\"a\tb\""), NULL },
    { sg_string("'a b'"), NULL },

    { sg_string("a\0b"), NULL },
    { sg_string("a\x01"), NULL },
    { sg_string("a\x7f"), NULL },
    { sg_string("a\r\nb"), NULL },
    { sg_string("\"a\0b\""), NULL },
    { sg_string("\"a\nb\""), NULL },
    { sg_string("\"a\x7f\""), NULL },
    { sg_string("\xc3\xa9"), NULL },
    { sg_string("\"\xc3\xa9\""), NULL },
    { sg_string("\xa0" "a"), NULL }
};


static void
syntax(void **state)
{
    char            row[16];
    size_t          i, room;
    sg_str_t        exact, got;
    unsigned char  *key;

    (void) state;

    for (i = 0; i < N(syntax_rows); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        exact = str_exact(syntax_rows[i].value);

        /* as long as it has to be */

        room = exact.len < SG_IDEMPOTENCY_KEY_MAX ? exact.len
                                                  : SG_IDEMPOTENCY_KEY_MAX;
        key = malloc(room);
        assert_non_null(key);

        got.data = key;
        got.len = sg_idempotency_key_parse(key, exact);
        check_str(row, got, syntax_rows[i].key ? syntax_rows[i].key : "");

        str_exact_free(exact);
        free(key);
    }
}


static void
bytes(unsigned char *out, size_t len, const char *digits)
{
    size_t    i;
    unsigned  byte;

    assert_int_equal(strlen(digits), 2 * len);

    for (i = 0; i < len; i++) {
        assert_int_equal(sscanf(digits + 2 * i, "%2x", &byte), 1);
        out[i] = (unsigned char) byte;
    }
}


static void
published_upstream_keys(void **state)
{
    size_t           i;
    json_t          *vectors, *vector;
    sg_str_t         got;
    const char      *name, *scope, *operation, *key, *sha256, *uuid;
    const char      *path;
    sg_operation_e   op;
    unsigned char    out[SG_UPSTREAM_KEY_LEN], fingerprint[SG_FINGERPRINT_LEN];

    (void) state;

    path = getenv("TEST_VECTORS");
    assert_non_null(path);

    vectors = json_load_file(path, 0, NULL);
    assert_non_null(vectors);
    assert_true(json_array_size(json_object_get(vectors, "upstream_key"))
                >= 10);

    json_array_foreach(json_object_get(vectors, "upstream_key"), i, vector) {

        assert_int_equal(json_unpack(vector, "{s:s, s:s, s:s, s:s, s:s, s:s}",
                                     "name", &name, "scope", &scope,
                                     "operation", &operation, "key", &key,
                                     "fingerprint", &sha256,
                                     "uuid", &uuid),
                         0);

        op = strcmp(operation, "create") == 0 ? sg_op_create : sg_op_update;

        bytes(fingerprint, sizeof(fingerprint), sha256);

        assert_int_equal(sg_upstream_key(out, str(scope), op, str(key),
                                         fingerprint),
                         0);

        got.data = out;
        got.len = sizeof(out);
        check_str(name, got, uuid);
    }

    json_decref(vectors);
}


/* each part has its length before it, in decimal */

static void
lengths_of_parts(void **state)
{
    size_t         i, j, n;
    char           text[4096], x[1300], want[2 * SG_SHA256_LEN + 1];
    sg_str_t       scope, key, got;
    unsigned char  digest[SG_SHA256_LEN], fingerprint[SG_FINGERPRINT_LEN];
    unsigned char  out[SG_UPSTREAM_KEY_LEN];

    static const size_t  lengths[] = {
        0, 1, 9, 10, 11, 99, 100, 101, 255, 512, 999, 1000, 1234
    };

    (void) state;

    memset(x, 'x', sizeof(x));
    memset(fingerprint, 'f', sizeof(fingerprint));

    for (i = 0; i < N(lengths); i++) {
        scope.data = (const unsigned char *) x;
        scope.len = lengths[i];

        for (j = 0; j < N(lengths); j++) {
            key.data = lengths[j] ? (const unsigned char *) x : NULL;
            key.len = lengths[j];

            n = (size_t) snprintf(text, sizeof(text),
                                  "%zu:%.*s6:update%zu:%.*s32:%.32s",
                                  scope.len, (int) scope.len, x,
                                  key.len, (int) key.len, x,
                                  (const char *) fingerprint);

            assert_int_equal(sg_sha256(digest, text, n), 0);

            snprintf(want, sizeof(want), "%02x%02x%02x%02x-%02x%02x-8%01x%02x-"
                     "%02x%02x-%02x%02x%02x%02x%02x%02x",
                     digest[0], digest[1], digest[2], digest[3], digest[4],
                     digest[5], digest[6] & 0xf, digest[7],
                     (digest[8] & 0x3f) | 0x80, digest[9], digest[10],
                     digest[11], digest[12], digest[13], digest[14],
                     digest[15]);

            assert_int_equal(sg_upstream_key(out, scope, sg_op_update, key,
                                             fingerprint), 0);

            got.data = out;
            got.len = sizeof(out);
            check_str(text, got, want);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(syntax),
        cmocka_unit_test(published_upstream_keys),
        cmocka_unit_test(lengths_of_parts)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
