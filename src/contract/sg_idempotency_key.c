
/*
 * The Idempotency-Key header field and what is derived from a key.
 */

#include "contract/sg_idempotency_key.h"
#include "contract/sg_sha256.h"

#include <string.h>


static size_t sg_key_parse_bare(unsigned char *key, sg_str_t value);
static size_t sg_key_parse_quoted(unsigned char *key, sg_str_t value);
static void sg_key_add_part(sg_buf_t *out, sg_str_t part);
static void sg_key_format_uuid(unsigned char *out, const unsigned char *bytes);


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
    size_t  i;

    if (value.len > SG_IDEMPOTENCY_KEY_MAX) {
        return 0;
    }

    for (i = 0; i < value.len; i++) {
        if (!sg_key_bare[value.data[i]]) {
            return 0;
        }
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
    int            ok;
    sg_buf_t       text;
    sg_str_t       part;
    unsigned char  digest[SG_SHA256_LEN], room[512];

    sg_buf_init_room(&text, room, sizeof(room));

    sg_key_add_part(&text, scope);

    part.data = (const unsigned char *) sg_operation_name(operation);
    part.len = strlen(sg_operation_name(operation));
    sg_key_add_part(&text, part);

    sg_key_add_part(&text, key);

    part.data = fingerprint;
    part.len = SG_FINGERPRINT_LEN;
    sg_key_add_part(&text, part);

    ok = !text.failed && sg_sha256(digest, text.data, text.len) == 0;

    sg_buf_free(&text);

    if (!ok) {
        return -1;
    }

    digest[6] = (unsigned char) ((digest[6] & 0x0f) | 0x80);    /* version */
    digest[8] = (unsigned char) ((digest[8] & 0x3f) | 0x80);    /* variant */

    sg_key_format_uuid(out, digest);

    return 0;
}


/* "<length>:<bytes>", so that no two lists of parts make one text */

static void
sg_key_add_part(sg_buf_t *out, sg_str_t part)
{
    sg_buf_add_uint(out, part.len);
    sg_buf_add_char(out, ':');
    sg_buf_add_str(out, part);
}


static void
sg_key_format_uuid(unsigned char *out, const unsigned char *bytes)
{
    static const char  hex[] = "0123456789abcdef";

    unsigned  i;

    for (i = 0; i < 16; i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }

        *out++ = (unsigned char) hex[bytes[i] >> 4];
        *out++ = (unsigned char) hex[bytes[i] & 0xf];
    }
}
