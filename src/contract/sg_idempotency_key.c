
/*
 * The Idempotency-Key header field and what is derived from a key.
 */

#include "contract/sg_idempotency_key.h"
#include "contract/sg_sha256.h"

#include <string.h>


#define SG_KEY_ROOM        512          /* bytes that need no allocation */
#define SG_KEY_LENGTH_MAX  21           /* of a length's digits and the colon */

#define SG_KEY_HEX(d)                                                         \
    d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7"                           \
    d "8" d "9" d "a" d "b" d "c" d "d" d "e" d "f"


static size_t sg_key_parse_bare(unsigned char *key, sg_str_t value);
static size_t sg_key_parse_quoted(unsigned char *key, sg_str_t value);
static unsigned char *sg_key_add_part(unsigned char *p, sg_str_t part);
static unsigned char *sg_key_add_number(unsigned char *p, size_t n);
static void sg_key_format_uuid(unsigned char *out, unsigned char *bytes);
static inline unsigned char *sg_key_add_hex(unsigned char *p,
    const unsigned char *bytes, size_t n);


/* visible ASCII without " , ; and backslash; the rest of 256 is 0 */

static const unsigned char  sg_key_bare[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,     /*  !"#$%&'()*+,-./ */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1,     /* 0123456789:;<=>? */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* @ABCDEFGHIJKLMNO */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,     /* PQRSTUVWXYZ[\]^_ */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* `abcdefghijklmno */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0      /* pqrstuvwxyz{|}~  */
};

/* of each byte its two digits */

static const char  sg_key_hex[] =
    SG_KEY_HEX("0") SG_KEY_HEX("1") SG_KEY_HEX("2") SG_KEY_HEX("3")
    SG_KEY_HEX("4") SG_KEY_HEX("5") SG_KEY_HEX("6") SG_KEY_HEX("7")
    SG_KEY_HEX("8") SG_KEY_HEX("9") SG_KEY_HEX("a") SG_KEY_HEX("b")
    SG_KEY_HEX("c") SG_KEY_HEX("d") SG_KEY_HEX("e") SG_KEY_HEX("f");


size_t
sg_idempotency_key_parse(unsigned char *key, sg_str_t value)
{
    while (value.len && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.len--;
    }

    while (value.len
           && (value.data[value.len - 1] == ' '
               || value.data[value.len - 1] == '\t'))
    {
        value.len--;
    }

    if (value.len == 0) {
        return 0;
    }

    if (value.data[0] == '"') {
        return sg_key_parse_quoted(key, value);
    }

    return sg_key_parse_bare(key, value);
}


static size_t
sg_key_parse_bare(unsigned char *key, sg_str_t value)
{
    if (value.len > SG_IDEMPOTENCY_KEY_MAX
        || sg_str_span(value, sg_key_bare) != value.len)
    {
        return 0;
    }

    memcpy(key, value.data, value.len);

    return value.len;
}


/* RFC 8941, 4.2.5, and nothing behind the closing quote */

static size_t
sg_key_parse_quoted(unsigned char *key, sg_str_t value)
{
    size_t         i, n;
    unsigned char  ch;

    n = 0;

    for (i = 1; i < value.len; i++) {
        ch = value.data[i];

        if (ch == '"') {
            return i == value.len - 1 ? n : 0;
        }

        if (ch == '\\') {

            if (++i == value.len) {
                return 0;
            }

            ch = value.data[i];

            if (ch != '"' && ch != '\\') {
                return 0;
            }
        }

        if (ch < 0x20 || ch >= 0x7f || n == SG_IDEMPOTENCY_KEY_MAX) {
            return 0;
        }

        key[n++] = ch;
    }

    return 0;
}


int
sg_upstream_key(unsigned char out[SG_UPSTREAM_KEY_LEN], sg_str_t scope,
    sg_operation_e operation, sg_str_t key,
    const unsigned char fingerprint[SG_FINGERPRINT_LEN])
{
    int             rc;
    sg_buf_t        text;
    sg_str_t        name, digest;
    unsigned char  *p, sha256[SG_SHA256_LEN], room[SG_KEY_ROOM];

    name.data = (const unsigned char *) sg_operation_name(operation);
    name.len = strlen(sg_operation_name(operation));

    digest.data = fingerprint;
    digest.len = SG_FINGERPRINT_LEN;

    sg_buf_init_room(&text, room, sizeof(room));

    p = sg_buf_extend(&text, 4 * SG_KEY_LENGTH_MAX + scope.len + name.len
                             + key.len + digest.len);
    if (p == NULL) {
        return -1;
    }

    p = sg_key_add_part(p, scope);
    p = sg_key_add_part(p, name);
    p = sg_key_add_part(p, key);
    p = sg_key_add_part(p, digest);

    rc = sg_sha256(sha256, text.data, (size_t) (p - text.data));

    sg_buf_free(&text);

    if (rc == 0) {
        sg_key_format_uuid(out, sha256);
    }

    return rc;
}


/* "<length>:<bytes>", so that no two lists of parts make one text; returns what
   is behind it, as the others do that add */

static unsigned char *
sg_key_add_part(unsigned char *p, sg_str_t part)
{
    p = sg_key_add_number(p, part.len);
    *p++ = ':';

    if (part.len) {
        memcpy(p, part.data, part.len);
    }

    return p + part.len;
}


static unsigned char *
sg_key_add_number(unsigned char *p, size_t n)
{
    if (n >= 10) {
        p = sg_key_add_number(p, n / 10);
    }

    *p++ = (unsigned char) ('0' + n % 10);

    return p;
}


/* RFC 9562, 5.8: what is made of a digest is of version 8 */

static void
sg_key_format_uuid(unsigned char *out, unsigned char *bytes)
{
    bytes[6] = (unsigned char) ((bytes[6] & 0x0f) | 0x80);      /* version */
    bytes[8] = (unsigned char) ((bytes[8] & 0x3f) | 0x80);      /* variant */

    out = sg_key_add_hex(out, bytes, 4);
    *out++ = '-';
    out = sg_key_add_hex(out, bytes + 4, 2);
    *out++ = '-';
    out = sg_key_add_hex(out, bytes + 6, 2);
    *out++ = '-';
    out = sg_key_add_hex(out, bytes + 8, 2);
    *out++ = '-';
    (void) sg_key_add_hex(out, bytes + 10, 6);
}


static inline unsigned char *
sg_key_add_hex(unsigned char *p, const unsigned char *bytes, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        memcpy(p, &sg_key_hex[2 * bytes[i]], 2);
        p += 2;
    }

    return p;
}
