
/*
 * What a file with a key of 32 bytes holds: 64 hexadecimal digits, or base64
 * (RFC 4648, 4 and 5), whose "=" may be left out.  A length is of one only.
 */

#include "contract/sg_key_text.h"

#include <string.h>

#include <openssl/crypto.h>


#define SG_KEY_BASE64  43               /* digits, without "=" */


static int sg_key_hex(unsigned char key[SG_KEY_LEN], sg_str_t text);
static int sg_key_hex_digit(unsigned char ch);
static int sg_key_base64(unsigned char key[SG_KEY_LEN], sg_str_t text);
static int sg_key_digit(unsigned char ch, const char *digits);


static const char  sg_base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


sg_key_text_e
sg_key_text(unsigned char key[SG_KEY_LEN], sg_str_t text)
{
    int            rc;
    unsigned char  found[SG_KEY_LEN];

    static const char  space[] = " \t\r\n\v\f";

    while (text.len && memchr(space, text.data[0], sizeof(space) - 1)) {
        text.data++;
        text.len--;
    }

    while (text.len && memchr(space, text.data[text.len - 1],
                              sizeof(space) - 1))
    {
        text.len--;
    }

    if (text.len == 0) {
        return sg_key_text_empty;
    }

    rc = (text.len == 2 * SG_KEY_LEN) ? sg_key_hex(found, text)
                                      : sg_key_base64(found, text);

    if (rc == 0) {
        memcpy(key, found, SG_KEY_LEN);
    }

    OPENSSL_cleanse(found, sizeof(found));

    return rc == 0 ? sg_key_text_ok : sg_key_text_syntax;
}


static int
sg_key_hex(unsigned char key[SG_KEY_LEN], sg_str_t text)
{
    int     high, low;
    size_t  i;

    for (i = 0; i < SG_KEY_LEN; i++) {
        high = sg_key_hex_digit(text.data[2 * i]);
        low = sg_key_hex_digit(text.data[2 * i + 1]);

        if (high == -1 || low == -1) {
            return -1;
        }

        key[i] = (unsigned char) (high << 4 | low);
    }

    return 0;
}


static int
sg_key_hex_digit(unsigned char ch)
{
    int  digit;

    digit = sg_key_digit(ch, "0123456789abcdefABCDEF");

    return digit < 16 ? digit : digit - 6;
}


static int
sg_key_base64(unsigned char key[SG_KEY_LEN], sg_str_t text)
{
    int            digit;
    size_t         i, n, bits;
    unsigned       word;
    unsigned char  ch;

    if (text.len == SG_KEY_BASE64 + 1 && text.data[SG_KEY_BASE64] == '=') {
        text.len--;
    }

    if (text.len != SG_KEY_BASE64) {
        return -1;
    }

    n = 0;
    bits = 0;
    word = 0;

    for (i = 0; i < text.len; i++) {
        ch = text.data[i];

        ch = (ch == '-') ? '+' : (ch == '_') ? '/' : ch;

        digit = sg_key_digit(ch, sg_base64);

        if (digit == -1) {
            return -1;
        }

        word = (word << 6 | (unsigned) digit) & 0xffff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            key[n++] = (unsigned char) (word >> bits);
        }
    }

    /* two bits are left, and none of them is anybody's */

    return (word & 3) ? -1 : 0;
}


static int
sg_key_digit(unsigned char ch, const char *digits)
{
    const char  *p;

    p = ch ? strchr(digits, ch) : NULL;

    return p ? (int) (p - digits) : -1;
}
