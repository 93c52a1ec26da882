
/*
 * What is inside of a JSON string: plain text, UTF-8, escapes.
 */

#include "contract/sg_string.h"
#include "contract/sg_text.h"

#include <stdlib.h>
#include <string.h>


static int sg_string_escaped(sg_cursor_t *at, const unsigned char *start,
    sg_child_t *child);
static int sg_string_escape(sg_cursor_t *at);
static int sg_string_code(sg_cursor_t *at, unsigned *code);
static int sg_string_hex(sg_cursor_t *at, unsigned *code);
static int sg_string_take(sg_cursor_t *at, unsigned char ch);


/* one that has no escapes is not copied */

int
sg_string_read(sg_cursor_t *at, sg_child_t *child)
{
    size_t                n;
    const unsigned char  *start;

    start = at->p;

    for ( ;; ) {
        at->p += sg_text_plain(at->p, at->end);

        if (at->p == at->end) {
            return -1;
        }

        if (*at->p == '"') {
            break;
        }

        if (*at->p == '\\') {
            return sg_string_escaped(at, start, child);
        }

        n = sg_text_utf8(at->p, at->end);
        if (n == 0) {
            return -1;                  /* a control character, too */
        }

        at->p += n;
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = start;
    child->text.len = (size_t) (at->p - start);

    at->p++;

    return 0;
}


/* at the first backslash; no string is longer than what it was written as */

static int
sg_string_escaped(sg_cursor_t *at, const unsigned char *start,
    sg_child_t *child)
{
    size_t  n;

    if (at->strings == NULL) {
        at->strings = malloc(at->size);
        if (at->strings == NULL) {
            return -1;
        }

        at->free = at->strings;
    }

    child->kind = sg_text;
    child->plain = 0;
    child->text.data = at->free;

    at->p = start;

    while (!sg_string_take(at, '"')) {

        n = sg_text_plain(at->p, at->end);

        if (n == 0) {

            if (sg_string_take(at, '\\')) {

                if (sg_string_escape(at) != 0) {
                    return -1;
                }

                continue;
            }

            n = (at->p == at->end) ? 0 : sg_text_utf8(at->p, at->end);

            if (n == 0) {
                return -1;
            }
        }

        memcpy(at->free, at->p, n);

        at->free += n;
        at->p += n;
    }

    child->text.len = (size_t) (at->free - child->text.data);

    return 0;
}


/* behind the backslash */

static int
sg_string_escape(sg_cursor_t *at)
{
    unsigned     code;
    const char  *letter;

    static const char  letters[] = "\"\\/bfnrt";
    static const char  characters[] = "\"\\/\b\f\n\r\t";

    if (sg_string_take(at, 'u')) {

        if (sg_string_code(at, &code) != 0) {
            return -1;
        }

        at->free += sg_text_encode(at->free, code);
        return 0;
    }

    if (at->p == at->end || *at->p == '\0') {
        return -1;
    }

    letter = strchr(letters, *at->p++);
    if (letter == NULL) {
        return -1;
    }

    *at->free++ = (unsigned char) characters[letter - letters];

    return 0;
}


/* behind \u: a code point, for which there may be two escapes (RFC 8259, 7) */

static int
sg_string_code(sg_cursor_t *at, unsigned *code)
{
    unsigned  low;

    /* U+0000 and lone surrogates are refused, with jansson's words */

    if (sg_string_hex(at, code) != 0
        || *code == 0
        || (*code >= 0xdc00 && *code <= 0xdfff))
    {
        return -1;
    }

    if (*code < 0xd800 || *code > 0xdfff) {
        return 0;
    }

    if (!sg_string_take(at, '\\')
        || !sg_string_take(at, 'u')
        || sg_string_hex(at, &low) != 0
        || low < 0xdc00 || low > 0xdfff)
    {
        return -1;
    }

    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);

    return 0;
}


/* four digits */

static int
sg_string_hex(sg_cursor_t *at, unsigned *code)
{
    unsigned       i;
    unsigned char  ch;

    if (at->end - at->p < 4) {
        return -1;
    }

    *code = 0;

    for (i = 0; i < 4; i++) {
        ch = *at->p++;

        if (ch >= '0' && ch <= '9') {
            ch -= '0';

        } else {
            ch |= 0x20;

            if (ch < 'a' || ch > 'f') {
                return -1;
            }

            ch -= 'a' - 10;
        }

        *code = *code << 4 | ch;
    }

    return 0;
}


static int
sg_string_take(sg_cursor_t *at, unsigned char ch)
{
    if (at->p == at->end || *at->p != ch) {
        return 0;
    }

    at->p++;

    return 1;
}
