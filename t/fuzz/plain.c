
/*
 * Bodies of the documented shape, or nearly so.
 */

#include "plain.h"

#include <string.h>


#define N(table)  (sizeof(table) / sizeof((table)[0]))

#define PLAIN_ASCII        13           /* pieces of strings that are ASCII */
#define PLAIN_COMPARATORS  8            /* words that are documented */


typedef struct {
    uint8_t              *p;
    uint8_t              *end;
    uint32_t              state;        /* of the random numbers, not 0 */
    int                   usual;        /* mostly as nearly all are written: in
                                           order, without space, in ASCII */
    int                   spaced;       /* but for one space behind each comma
                                           and colon */
} plain_t;


static void plain_segment(plain_t *to);
static void plain_conditions(plain_t *to);
static void plain_condition(plain_t *to);
static void plain_member(plain_t *to, const char *name);
static void plain_comparator(plain_t *to);
static void plain_value(plain_t *to);
static void plain_string(plain_t *to);
static void plain_gap(plain_t *to);
static void plain_space(plain_t *to);
static void plain_put(plain_t *to, const char *text);
static const char *plain_one_of(plain_t *to, const char *const *words,
    size_t n);
static int plain_usual(plain_t *to, unsigned n);
static unsigned plain_chance(plain_t *to, unsigned n);
static void plain_shuffle(plain_t *to, unsigned *order, unsigned n);


size_t
plain_body(uint8_t *out, size_t size, unsigned seed)
{
    plain_t  to;

    to.p = out;
    to.end = out + size;
    to.state = seed * 2654435761u + 1;
    to.state += (to.state == 0);
    to.usual = (plain_chance(&to, 2) == 0);
    to.spaced = to.usual && plain_chance(&to, 2);

    plain_space(&to);
    plain_segment(&to);
    plain_space(&to);

    return (size_t) (to.p - out);
}


static void
plain_segment(plain_t *to)
{
    unsigned     i, order[2];
    const char  *before;

    plain_shuffle(to, order, 2);
    before = "{";

    for (i = 0; i < 2; i++) {

        if (plain_chance(to, 12) == 0) {
            continue;
        }

        plain_put(to, before);

        if (*before == ',') {
            plain_gap(to);
        }

        before = ",";

        if (order[i] == 0) {
            plain_member(to, "name");
            plain_value(to);

        } else {
            plain_member(to, "conditions");
            plain_conditions(to);
        }

        plain_space(to);
    }

    if (*before == '{') {
        plain_put(to, before);

    } else if (plain_chance(to, 60) == 0) {
        plain_put(to, ",\"name\":\"A\"");
    }

    plain_put(to, "}");
}


static void
plain_conditions(plain_t *to)
{
    unsigned  n;

    if (plain_chance(to, 20) == 0) {
        plain_value(to);
        return;
    }

    plain_put(to, "[");
    plain_space(to);

    for (n = plain_chance(to, plain_chance(to, 30) ? 4 : 120); n; n--) {

        if (plain_chance(to, 16)) {
            plain_condition(to);

        } else {
            plain_value(to);
        }

        plain_space(to);

        if (n > 1) {
            plain_put(to, ",");
            plain_gap(to);
            plain_space(to);
        }
    }

    plain_put(to, "]");
}


static void
plain_condition(plain_t *to)
{
    static const char *const  names[] = {
        "metric", "comparator", "value", "negate"
    };

    unsigned     i, order[N(names)];
    const char  *before;

    plain_shuffle(to, order, N(names));

    if (plain_usual(to, 12)) {
        for (i = 0; i < N(names); i++) {
            order[i] = i;
        }
    }

    before = "{";

    for (i = 0; i < N(names); i++) {

        if (plain_chance(to, order[i] == 3 ? 2 : 24) == 0
            && (order[i] == 3 || !plain_usual(to, 8)))
        {
            continue;
        }

        plain_put(to, before);

        if (*before == ',') {
            plain_gap(to);
        }

        before = ",";

        plain_member(to, names[order[i]]);

        if (order[i] == 1) {
            plain_comparator(to);

        } else if (order[i] == 3 && plain_chance(to, 12)) {
            plain_put(to, plain_chance(to, 2) ? "true" : "false");

        } else {
            plain_value(to);
        }

        plain_space(to);
    }

    plain_put(to, *before == '{' ? "{}" : "}");
}


static void
plain_member(plain_t *to, const char *name)
{
    plain_space(to);
    plain_put(to, "\"");
    plain_put(to, plain_chance(to, 200) ? name : "other");
    plain_put(to, "\"");
    plain_space(to);
    plain_put(to, ":");
    plain_gap(to);
    plain_space(to);
}


static void
plain_comparator(plain_t *to)
{
    static const char *const  words[] = {
        "eq", "ne", "gt", "gte", "lt", "lte", "contains", "not_contains",
        "\\u0065q", "l\\u0074", "EQ", "like", ""
    };

    if (!plain_usual(to, 16) && plain_chance(to, 16) == 0) {
        plain_value(to);
        return;
    }

    plain_put(to, "\"");
    plain_put(to, plain_one_of(to, words, plain_usual(to, 12)
                                          ? PLAIN_COMPARATORS : N(words)));
    plain_put(to, "\"");
}


static void
plain_value(plain_t *to)
{
    static const char *const  others[] = {
        "null", "true", "false", "null", "true", "false", "0", "-1.5e3", "[]",
        "{}", "[[]]", "nul", "True"
    };

    if (plain_usual(to, 16) || plain_chance(to, 16)) {
        plain_string(to);

    } else {
        plain_put(to, plain_one_of(to, others, N(others)));
    }
}


static void
plain_string(plain_t *to)
{
    static const char *const  pieces[] = {
        "a", "Premium users", " ", "0", "country", "{", "}", "[", "]", ",", ":",
        "0123456789abcdef", "0123456789abcdefghijklmnopqrstuvwxyz",
        "\\n", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\t", "\\u0001",
        "\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\uD834\\uDD1E",
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x7f", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xf4\x8f\xbf\xbf"
    };

    /* of which no text of JSON has any */

    static const char *const  broken[] = {
        "\\ud83d", "\\ude00", "\\ud83d\\u0041", "\\u0000", "\\x", "\\u12g4",
        "\n", "\x01", "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xe2\x82", "\""
    };

    unsigned  n;

    plain_put(to, "\"");

    n = plain_chance(to, plain_chance(to, 20) ? 5 : 90);

    while (n--) {
        if (plain_usual(to, 40)) {
            plain_put(to, plain_one_of(to, pieces, PLAIN_ASCII));

        } else if (plain_chance(to, 400)) {
            plain_put(to, plain_one_of(to, pieces, N(pieces)));

        } else {
            plain_put(to, plain_one_of(to, broken, N(broken)));
        }
    }

    plain_put(to, "\"");
}


static void
plain_gap(plain_t *to)
{
    if (to->spaced && plain_chance(to, 40)) {
        plain_put(to, " ");
    }
}


static void
plain_space(plain_t *to)
{
    static const char *const  spaces[] = {
        " ", "\n", "\t", "\r\n", "\n        ", "                  "
    };

    if (!plain_usual(to, 40) && plain_chance(to, 6) == 0) {
        plain_put(to, plain_one_of(to, spaces, N(spaces)));
    }
}


static void
plain_put(plain_t *to, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (len > (size_t) (to->end - to->p)) {
        len = (size_t) (to->end - to->p);
    }

    memcpy(to->p, text, len);
    to->p += len;
}


static const char *
plain_one_of(plain_t *to, const char *const *words, size_t n)
{
    return words[plain_chance(to, (unsigned) n)];
}


/* 1 where it is to be as nearly all are written: in such a body, but for one
   time of n */

static int
plain_usual(plain_t *to, unsigned n)
{
    return to->usual && plain_chance(to, n);
}


/* from 0 to n - 1; Marsaglia's xorshift */

static unsigned
plain_chance(plain_t *to, unsigned n)
{
    to->state ^= to->state << 13;
    to->state ^= to->state >> 17;
    to->state ^= to->state << 5;

    return to->state % n;
}


static void
plain_shuffle(plain_t *to, unsigned *order, unsigned n)
{
    unsigned  i, other;

    for (i = 0; i < n; i++) {
        other = plain_chance(to, i + 1);
        order[i] = i;
        order[i] = order[other];
        order[other] = i;
    }
}
