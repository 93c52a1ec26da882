
/*
 * RFC 8259, a function for each of its rules: each takes what it knows off the
 * text, or says 0.
 */

#include "strict.h"

#include <string.h>


typedef struct {
    const uint8_t  *p;
    const uint8_t  *end;
} strict_text_t;


static int value(strict_text_t *t, unsigned depth);


static int
at(const strict_text_t *t, char ch)
{
    return t->p < t->end && *t->p == (uint8_t) ch;
}


static int
take(strict_text_t *t, char ch)
{
    return at(t, ch) ? (t->p++, 1) : 0;
}


static void
space(strict_text_t *t)
{
    while (take(t, ' ') || take(t, '\t') || take(t, '\n') || take(t, '\r')) {
        /* void */
    }
}


static int
word(strict_text_t *t, const char *text)
{
    while (*text) {
        if (!take(t, *text++)) {
            return 0;
        }
    }

    return 1;
}


static int
digits(strict_text_t *t)
{
    const uint8_t  *start;

    start = t->p;

    while (t->p < t->end && *t->p >= '0' && *t->p <= '9') {
        t->p++;
    }

    return t->p > start;
}


static int
number(strict_text_t *t)
{
    (void) take(t, '-');

    if (!take(t, '0') && !digits(t)) {
        return 0;
    }

    if (take(t, '.') && !digits(t)) {
        return 0;
    }

    if (take(t, 'e') || take(t, 'E')) {
        (void) (take(t, '+') || take(t, '-'));
        return digits(t);
    }

    return 1;
}


static int
hex4(strict_text_t *t, unsigned *code)
{
    int          i;
    const char  *digit;

    static const char  hex[] = "0123456789abcdef0123456789ABCDEF";

    *code = 0;

    for (i = 0; i < 4; i++) {
        digit = (t->p < t->end && *t->p) ? strchr(hex, *t->p) : NULL;

        if (digit == NULL) {
            return 0;
        }

        *code = *code * 16 + (unsigned) (digit - hex) % 16;
        t->p++;
    }

    return 1;
}


/* behind the backslash; a surrogate has to have its other half (section 8.2
   leaves open what becomes of a lone one) */

static int
escape(strict_text_t *t)
{
    unsigned  code, low;

    if (!take(t, 'u')) {
        return t->p < t->end && *t->p && strchr("\"\\/bfnrt", *t->p)
               ? (t->p++, 1) : 0;
    }

    if (!hex4(t, &code) || (code >= 0xdc00 && code <= 0xdfff)) {
        return 0;
    }

    if (code >= 0xd800 && code <= 0xdbff) {
        return word(t, "\\u") && hex4(t, &low)
               && low >= 0xdc00 && low <= 0xdfff;
    }

    return 1;
}


/* RFC 3629, section 4 */

static int
utf8(strict_text_t *t)
{
    int       n;
    uint32_t  code;
    uint8_t   ch;

    static const uint32_t  least[] = { 0, 0x80, 0x800, 0x10000 };

    ch = *t->p++;
    n = (ch >> 5) == 6 ? 1 : (ch >> 4) == 14 ? 2 : (ch >> 3) == 30 ? 3 : 0;

    if (n == 0) {
        return ch < 0x80;
    }

    code = ch & (0x3f >> n);

    for (int i = 0; i < n; i++) {
        if (t->p == t->end || (*t->p & 0xc0) != 0x80) {
            return 0;
        }

        code = code << 6 | (*t->p++ & 0x3f);
    }

    return code >= least[n] && code <= 0x10ffff
           && (code < 0xd800 || code > 0xdfff);
}


static int
string(strict_text_t *t)
{
    if (!take(t, '"')) {
        return 0;
    }

    while (!take(t, '"')) {

        if (t->p == t->end || *t->p < 0x20) {
            return 0;
        }

        if (take(t, '\\') ? !escape(t) : !utf8(t)) {
            return 0;
        }
    }

    return 1;
}


static int
members(strict_text_t *t, unsigned depth)
{
    space(t);

    if (take(t, '}')) {
        return 1;
    }

    do {
        space(t);

        if (!string(t)) {
            return 0;
        }

        space(t);

        if (!take(t, ':') || !value(t, depth)) {
            return 0;
        }
    } while (take(t, ','));

    return take(t, '}');
}


static int
elements(strict_text_t *t, unsigned depth)
{
    space(t);

    if (take(t, ']')) {
        return 1;
    }

    do {
        if (!value(t, depth)) {
            return 0;
        }
    } while (take(t, ','));

    return take(t, ']');
}


/* with the space around it */

static int
value(strict_text_t *t, unsigned depth)
{
    int  ok;

    space(t);

    if (at(t, '{') || at(t, '[')) {

        if (depth == 0) {
            return 0;
        }

        ok = take(t, '{') ? members(t, depth - 1)
                          : (take(t, '['), elements(t, depth - 1));

    } else if (at(t, '"')) {
        ok = string(t);

    } else if (at(t, 't')) {
        ok = word(t, "true");

    } else if (at(t, 'f')) {
        ok = word(t, "false");

    } else if (at(t, 'n')) {
        ok = word(t, "null");

    } else {
        ok = number(t);
    }

    space(t);

    return ok;
}


int
strict_json(const uint8_t *text, size_t len, unsigned depth)
{
    strict_text_t  t;

    t.p = text;
    t.end = text + len;

    return value(&t, depth) && t.p == t.end;
}
