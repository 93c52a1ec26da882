
#include "test.h"

#include "contract/sg_seal.h"


/*
 * Made by another implementation, Python's "cryptography":
 *
 *     secret = bytes(range(32))
 *     id = HKDF(SHA256(), 8, None, b'segments: key id').derive(secret)
 *     key = HKDF(SHA256(), 32, None, b'segments: sealing key').derive(secret)
 *     own = HKDFExpand(SHA256(), 32, b'segments: answer' + salt).derive(key)
 *     clear = b''.join(pack('>I', len(x)) + x for x in (name, head, id + salt))
 *     AESGCM(own).encrypt(bytes(12), headers + body, clear)
 */

#define NAME     "segments:{live:alice}:create:k1"
#define HEAD     "1a\0-checksumFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"               \
                 "TTTTTTTTTTTTTTTT"                                           \
                 "\x00\xc9\x00\x00\x00\x14\x00\x00\x00\x0d"
#define HEADERS  "Content-Type: text/a\n"
#define BODY     "{\"id\":\"abc\"}\n"
#define ID       "\x4d\x9b\x6f\x82\xc4\x59\x45\x06"
#define SALT     "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7"                           \
                 "\xa8\xa9\xaa\xab\xac\xad\xae\xaf"
#define SEALED   "\x63\xb9\x96\xf3\xfa\x11\x9d\xcb" \
                 "\x39\x39\x0f\xf9\xc4\x6a\x8e\xa6" \
                 "\x56\x62\x8b\xf5\x06\x02\x29\xbe" \
                 "\x61\x11\x8f\x88\x31\xca\x49\x01" \
                 "\xc7\x05"
#define TAG      "\x26\x5d\x6e\xe2\x55\xbe\xc4\x8c" \
                 "\x43\xe9\x68\xb6\x46\x52\x2d\x8a"
#define EMPTY    "\x3a\x13\x5c\xb9\xa9\xb1\xef\xd6" \
                 "\xb5\xf8\x91\x3b\xd7\xfc\x62\xab"


static const unsigned char  secret[SG_KEY_LEN] =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
    "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";


static sg_sealed_t
plain(void)
{
    sg_sealed_t  answer;

    answer.name = STR(NAME);
    answer.head = STR(HEAD);
    answer.headers = STR(HEADERS);
    answer.body = STR(BODY);

    return answer;
}


/* what stands in Redis, cut where the headers end */

static sg_sealed_t
sealed(const unsigned char *text)
{
    sg_sealed_t  answer;

    answer = plain();
    answer.headers.data = text;
    answer.body.data = text + answer.headers.len;

    return answer;
}


static void
keys(void **state)
{
    sg_sealing_key_t  key;

    (void) state;

    assert_int_equal(sg_sealing_key(&key, secret), 0);
    assert_memory_equal(key.id, ID, SG_SEAL_ID);

    sg_sealing_key_free(&key);
    sg_sealing_key_free(&key);
}


static void
vectors(void **state)
{
    sg_sealed_t       answer;
    unsigned char     out[64], seal[SG_SEAL];
    sg_sealing_key_t  key;

    (void) state;

    assert_int_equal(sg_sealing_key(&key, secret), 0);

    answer = plain();

    memset(seal, 0, sizeof(seal));
    memcpy(seal + SG_SEAL_ID, SALT, SG_SEAL_SALT);

    assert_int_equal(sg_seal_salted(out, seal, &key, &answer), 0);
    assert_memory_equal(out, SEALED, sizeof(SEALED) - 1);
    assert_memory_equal(seal, ID SALT TAG, SG_SEAL);

    answer = sealed((const unsigned char *) SEALED);

    assert_int_equal(sg_open(out, (const unsigned char *) ID SALT TAG, &key,
                             &answer),
                     0);
    assert_memory_equal(out, HEADERS BODY, sizeof(HEADERS BODY) - 1);

    /* nothing at all */

    memset(&answer, 0, sizeof(answer));

    assert_int_equal(sg_seal_salted(NULL, seal, &key, &answer), 0);
    assert_memory_equal(seal, ID SALT EMPTY, SG_SEAL);
    assert_int_equal(sg_open(NULL, seal, &key, &answer), 0);

    seal[SG_SEAL - 1] ^= 1;
    assert_int_equal(sg_open(NULL, seal, &key, &answer), -1);

    sg_sealing_key_free(&key);
    sg_seal_free();
}


/* no bit of what is sealed, of what is in the clear, or of the key's id */

static void
altered(void **state)
{
    size_t             i, bit;
    sg_sealed_t        answer;
    unsigned char      text[sizeof(HEADERS BODY) - 1], out[sizeof(text)];
    unsigned char      seal[SG_SEAL], zero[sizeof(text)];
    unsigned char      name[sizeof(NAME) - 1], head[sizeof(HEAD) - 1];
    sg_sealing_key_t   key, other;

    struct {
        unsigned char  *data;
        size_t          len;
    } parts[] = {
        { text, sizeof(text) }, { seal, sizeof(seal) },
        { name, sizeof(name) }, { head, sizeof(head) },
        { key.id, SG_SEAL_ID }
    };

    (void) state;

    assert_int_equal(sg_sealing_key(&key, secret), 0);

    answer = plain();
    assert_int_equal(sg_seal(text, seal, &key, &answer), 0);

    memcpy(name, NAME, sizeof(name));
    memcpy(head, HEAD, sizeof(head));
    memset(zero, 0, sizeof(zero));

    answer = sealed(text);
    answer.name.data = name;
    answer.head.data = head;

    for (i = 0; i < N(parts); i++) {
        for (bit = 0; bit < 8 * parts[i].len; bit++) {

            parts[i].data[bit / 8] ^= (unsigned char) (1 << bit % 8);

            memset(out, 'x', sizeof(out));
            assert_int_equal(sg_open(out, seal, &key, &answer), -1);
            assert_memory_equal(out, zero, sizeof(out));

            parts[i].data[bit / 8] ^= (unsigned char) (1 << bit % 8);
        }
    }

    assert_int_equal(sg_open(out, seal, &key, &answer), 0);

    /* cut, and longer */

    answer.body.len--;
    assert_int_equal(sg_open(out, seal, &key, &answer), -1);
    answer.body.len++;

    /* a byte that changes from one part in the clear to the next */

    answer.name.len--;
    assert_int_equal(sg_open(out, seal, &key, &answer), -1);
    answer.name.len++;

    /* the key of another file */

    memcpy(out, secret, SG_KEY_LEN);
    out[0] = 1;
    assert_int_equal(sg_sealing_key(&other, out), 0);
    assert_int_equal(sg_seal_is_of(seal, &other), 0);
    assert_int_equal(sg_seal_is_of(seal, &key), 1);
    assert_int_equal(sg_open(out, seal, &other, &answer), -1);

    /* of another file, if it had the same id */

    memcpy(other.id, key.id, SG_SEAL_ID);
    assert_int_equal(sg_open(out, seal, &other, &answer), -1);

    sg_sealing_key_free(&other);
    sg_sealing_key_free(&key);
}


/* the same answer twice: other salts, and nothing alike */

static void
salts(void **state)
{
    size_t            i;
    sg_sealed_t       answer;
    unsigned char     text[100][sizeof(HEADERS BODY)], seal[100][SG_SEAL];
    sg_sealing_key_t  key;

    (void) state;

    assert_int_equal(sg_sealing_key(&key, secret), 0);

    answer = plain();

    for (i = 0; i < N(text); i++) {
        assert_int_equal(sg_seal(text[i], seal[i], &key, &answer), 0);
        assert_memory_equal(seal[i], ID, SG_SEAL_ID);

        if (i) {
            assert_memory_not_equal(seal[i] + SG_SEAL_ID,
                                    seal[i - 1] + SG_SEAL_ID, SG_SEAL_SALT);
            assert_memory_not_equal(text[i], text[i - 1], 8);
        }
    }

    sg_sealing_key_free(&key);
}


/* in the place where it stood */

static void
sizes(void **state)
{
    size_t            len;
    sg_sealed_t       answer;
    unsigned char     seal[SG_SEAL], *text, *out;
    sg_sealing_key_t  key;

    (void) state;

    assert_int_equal(sg_sealing_key(&key, secret), 0);

    for (len = 0; len < 100000; len = 3 * len + 1) {

        text = malloc(len + 1);
        out = malloc(2 * len + 1);
        assert_non_null(text);
        assert_non_null(out);

        memset(text, 'a', len);

        answer = plain();
        answer.headers.data = text;
        answer.headers.len = len;
        answer.body = answer.headers;

        assert_int_equal(sg_seal(out, seal, &key, &answer), 0);

        answer.headers.data = out;
        answer.body.data = out + len;

        assert_int_equal(sg_open(out, seal, &key, &answer), 0);

        if (len) {
            assert_memory_equal(out, text, len);
            assert_memory_equal(out + len, text, len);
        }

        free(out);
        free(text);
    }

    sg_sealing_key_free(&key);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(vectors),
        cmocka_unit_test(altered),
        cmocka_unit_test(salts),
        cmocka_unit_test(sizes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
