
/*
 * What is inside of a JSON string: plain text, UTF-8, escapes.
 */

#include "contract/sg_plain.h"
#include "contract/sg_string.h"
#include "contract/sg_text.h"

#include <stdlib.h>
#include <string.h>


static const unsigned char *sg_string_read_on(sg_cursor_t *at,
    const unsigned char *start, const unsigned char *p, sg_child_t *child);
static int sg_string_escaped(sg_cursor_t *at, sg_child_t *child);
static int sg_string_escape(sg_cursor_t *at);
static int sg_string_code(sg_cursor_t *at, unsigned *code);
static int sg_string_hex(sg_cursor_t *at, unsigned *code);
static int sg_string_take(sg_cursor_t *at, unsigned char ch);


/* one that has no escapes is not copied */

const unsigned char *
sg_string_read(sg_cursor_t *at, const unsigned char *p, sg_child_t *child)
{
    const unsigned char  *last;

    last = p + sg_plain(p, at->end);

    if (last == at->end) {
        return NULL;
    }

    if (*last != '"') {
        return sg_string_read_on(at, p, last, child);
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = p;
    child->text.len = (size_t) (last - p);

    return last + 1;
}


/* with the rest of a string, at something else than plain ASCII */

static const unsigned char *
sg_string_read_on(sg_cursor_t *at, const unsigned char *start,
    const unsigned char *p, sg_child_t *child)
{
    size_t  n;

    while (*p != '"') {

        if (*p == '\\') {
            at->p = start;
            return sg_string_escaped(at, child) == 0 ? at->p : NULL;
        }

        n = sg_text_utf8(p, at->end);
        if (n == 0) {
            return NULL;                /* a control character, too */
        }

        p += n;
        p += sg_plain(p, at->end);

        if (p == at->end) {
            return NULL;
        }
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = start;
    child->text.len = (size_t) (p - start);

    return p + 1;
}


/* from its beginning; no string is longer than what it was written as */

static int
sg_string_escaped(sg_cursor_t *at, sg_child_t *child)
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

    while (!sg_string_take(at, '"')) {

        n = sg_plain(at->p, at->end);

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
