
/*
 * Strict JSON: parsed by jansson, with what jansson lets through seen before.
 */

#include "contract/sg_json.h"
#include "contract/sg_plain.h"
#include "contract/sg_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


#define SG_JSON_SHORT_NUMBER  300       /* cannot underflow without exponent */


static int sg_json_marked(sg_str_t text);
static const char *sg_json_scan(sg_str_t text, unsigned max_depth,
    const unsigned char **at);
static const unsigned char *sg_json_skip_string(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *sg_json_skip_number(const unsigned char *p,
    const unsigned char *end);
static int sg_json_underflows(const unsigned char *p,
    const unsigned char *last, const unsigned char *end);
static void sg_json_refuse_at(sg_buf_t *message, sg_str_t text,
    const unsigned char *at, const char *reason);
static void sg_json_refuse(sg_buf_t *message, int line, int column,
    const char *reason);
static void sg_json_escaped(sg_buf_t *out, sg_str_t str);
static void sg_json_escape(sg_buf_t *out, unsigned char ch);


json_t *
sg_json_parse(sg_str_t text, unsigned max_depth, sg_buf_t *message)
{
    json_t               *value;
    const char           *reason;
    json_error_t          error;
    const unsigned char  *at;

    if (text.len == 0) {
        sg_json_refuse(message, 1, 0, "nothing to read");
        return NULL;
    }

    if (sg_json_marked(text)) {
        sg_json_refuse(message, 1, 1, "byte order mark");
        return NULL;
    }

    reason = sg_json_scan(text, max_depth, &at);
    if (reason) {
        sg_json_refuse_at(message, text, at, reason);
        return NULL;
    }

    errno = 0;

    value = json_loadb((const char *) text.data, text.len,
                       JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, &error);

    if (value == NULL) {

        /* jansson has other words, or none, for an allocation that fails */

        if (errno != ENOMEM) {
            sg_json_refuse(message, error.line, error.column,
                           json_error_code(&error) == json_error_invalid_utf8
                           ? "invalid UTF-8" : error.text);
        }

        return NULL;
    }

    /*
     * jansson (2.14, load.c) puts the byte behind a number, true, false or null
     * back, and a NUL is lost there.  It lets none through in a string.
     */

    at = memchr(text.data, '\0', text.len);

    if (at) {
        json_decref(value);
        sg_json_refuse_at(message, text, at, "invalid token");
        return NULL;
    }

    return value;
}


/* in UTF-8 or UTF-16: RFC 8259 has none */

static int
sg_json_marked(sg_str_t text)
{
    const unsigned char  *p;

    p = text.data;

    return (text.len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
           || (text.len >= 2 && p[0] == 0xff && p[1] == 0xfe)
           || (text.len >= 2 && p[0] == 0xfe && p[1] == 0xff);
}


/*
 * A deep text has to be refused before jansson recurses into it, and what was
 * written before a number became zero is gone after.  Broken syntax is left
 * to jansson.
 */

static const char *
sg_json_scan(sg_str_t text, unsigned max_depth, const unsigned char **at)
{
    unsigned              depth;
    const unsigned char  *p, *end, *number;

    depth = 0;
    p = text.data;
    end = p + text.len;

    while (p < end) {

        switch (*p) {

        case '"':
            p = sg_json_skip_string(p + 1, end);
            continue;

        case '{':
        case '[':
            if (depth == max_depth) {
                *at = p;
                return "nested too deep";
            }

            depth++;
            break;

        case '}':
        case ']':
            depth -= (depth != 0);
            break;

        case '0': case '1': case '2': case '3': case '4':
        case '5': case '6': case '7': case '8': case '9':
            number = p;
            p = sg_json_skip_number(p, end);

            if (sg_json_underflows(number, p, end)) {
                *at = p - 1;
                return "real number underflow";
            }

            continue;
        }

        p++;
    }

    return NULL;
}


static const unsigned char *
sg_json_skip_string(const unsigned char *p, const unsigned char *end)
{
    for ( /* void */ ; p < end; p++) {

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\' && ++p == end) {
            break;
        }
    }

    return end;
}


static const unsigned char *
sg_json_skip_number(const unsigned char *p, const unsigned char *end)
{
    while (p < end
           && ((*p >= '0' && *p <= '9')
               || *p == '.' || *p == '+' || *p == '-'
               || *p == 'e' || *p == 'E'))
    {
        p++;
    }

    return p;
}


/* 1 when a digit other than 0 was written, but the double would be zero */

static int
sg_json_underflows(const unsigned char *p, const unsigned char *last,
    const unsigned char *end)
{
    int                   nonzero;
    const unsigned char  *exponent;

    nonzero = 0;

    for (exponent = p; exponent < last; exponent++) {

        if (*exponent == 'e' || *exponent == 'E') {
            break;
        }

        nonzero |= (*exponent >= '1' && *exponent <= '9');
    }

    if (!nonzero
        || (exponent == last && last - p < SG_JSON_SHORT_NUMBER)
        || last == end)
    {
        /* a number that ends the text is not inside an object */
        return 0;
    }

    /* stops at *last: after a non-zero digit no "0x" can follow */

    return strtod((const char *) p, NULL) == 0;
}


/* as jansson counts: lines from 1, columns in code points */

static void
sg_json_refuse_at(sg_buf_t *message, sg_str_t text, const unsigned char *at,
    const char *reason)
{
    int                   line, column;
    const unsigned char  *p;

    line = 1;
    column = 0;

    for (p = text.data; p <= at; p++) {

        if (*p == '\n') {
            line++;
            column = 0;

        } else if ((*p & 0xc0) != 0x80) {
            column++;
        }
    }

    sg_json_refuse(message, line, column, reason);
}


static void
sg_json_refuse(sg_buf_t *message, int line, int column, const char *reason)
{
    /* where jansson's words go on to quote the body or to name its flags */

    static const char *const  tails[] = {
        " near '", " '\\u", " 0x", " without JSON_"
    };

    size_t       i, len;
    const char  *tail;

    len = strlen(reason);

    for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        tail = strstr(reason, tails[i]);

        if (tail && (size_t) (tail - reason) < len) {
            len = (size_t) (tail - reason);
        }
    }

    sg_buf_add_cstr(message, "Request body is not valid JSON: line ");
    sg_buf_add_uint(message, (unsigned) line);
    sg_buf_add_cstr(message, ", column ");
    sg_buf_add_uint(message, (unsigned) column);
    sg_buf_add_cstr(message, ": ");
    sg_buf_add(message, reason, len);
}


void
sg_json_string(sg_buf_t *out, sg_str_t str)
{
    unsigned char  *p;

    /* without a length there need not be a pointer to add to */

    if (str.len && sg_plain(str.data, str.data + str.len) != str.len) {
        sg_json_escaped(out, str);
        return;
    }

    p = sg_buf_extend(out, str.len + 2);
    if (p == NULL) {
        return;
    }

    *p++ = '"';

    if (str.len) {
        memcpy(p, str.data, str.len);
    }

    p[str.len] = '"';
}


static void
sg_json_escaped(sg_buf_t *out, sg_str_t str)
{
    size_t                n;
    const unsigned char  *p, *end, *start;

    sg_buf_add_char(out, '"');

    p = str.data;
    end = p + str.len;
    start = p;

    while (p < end) {
        n = sg_plain(p, end);

        if (n == 0) {
            n = sg_text_utf8(p, end);
        }

        if (n) {
            p += n;
            continue;
        }

        sg_buf_add(out, start, (size_t) (p - start));

        if (*p < 0x80) {
            sg_json_escape(out, *p);

        } else {
            sg_buf_add_cstr(out, "\xef\xbf\xbd");
        }

        start = ++p;
    }

    sg_buf_add(out, start, (size_t) (p - start));
    sg_buf_add_char(out, '"');
}


static void
sg_json_escape(sg_buf_t *out, unsigned char ch)
{
    static const char  hex[] = "0123456789abcdef";
    static const char  plain[] = "\"\\\b\f\n\r\t";
    static const char  letter[] = "\"\\bfnrt";

    char         text[6] = { '\\', 'u', '0', '0', '0', '0' };
    const char  *p;

    p = ch ? strchr(plain, ch) : NULL;

    if (p) {
        text[1] = letter[p - plain];
        sg_buf_add(out, text, 2);
        return;
    }

    text[4] = hex[ch >> 4];
    text[5] = hex[ch & 0xf];
    sg_buf_add(out, text, sizeof(text));
}
