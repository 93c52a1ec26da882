
/*
 * Conditions as nearly all of them are written.
 *
 * What stands between the strings is compared as words of several bytes.  Where
 * SG_USUAL_ROOM bytes are in sight, there is room for all that is looked at in
 * a condition with short strings, and nothing else asks for it.  Near the end
 * the room for a word is asked for together with what a condition has to have
 * behind it at least: a usual one is found up to its last byte.
 */

#include "contract/sg_plain.h"
#include "contract/sg_schema.h"
#include "contract/sg_usual.h"

#include <string.h>


/* each from the quotation mark behind a string to behind that of the next; "_"
   is what is behind a colon or a comma */

#define SG_USUAL_METRIC(_)      "{\"metric\":" _ "\""
#define SG_USUAL_COMPARATOR(_)  "\"," _ "\"comparator\":" _ "\""
#define SG_USUAL_VALUE(_)       "\"," _ "\"value\":" _ "\""
#define SG_USUAL_END(_)         "\"}"
#define SG_USUAL_NEGATE(_)      "\"," _ "\"negate\":" _
#define SG_USUAL_FALSE(_)       "false}"
#define SG_USUAL_TRUE(_)        "true}"

/*
 * All that follows is compiled for each kind of a condition, of which "kind" is
 * a constant: with spaces or without; and with room, where it asks for none,
 * and leaves strings that need more.
 */

#define SG_USUAL_SPACED  1
#define SG_USUAL_ROOMY   2

#define sg_usual_is(p, word, kind)                                            \
    (((kind) & SG_USUAL_SPACED)                                               \
     ? memcmp(p, word(" "), sizeof(word(" ")) - 1) == 0                       \
     : memcmp(p, word(""), sizeof(word("")) - 1) == 0)

#define sg_usual_len(word, kind)                                              \
    (((kind) & SG_USUAL_SPACED) ? sizeof(word(" ")) - 1 : sizeof(word("")) - 1)

#define sg_usual_has(p, end, n, kind)                                         \
    (((kind) & SG_USUAL_ROOMY) || (size_t) ((end) - (p)) >= (n))

/* what there is from the end of a string on, at least */

#define SG_USUAL_BEHIND_VALUE(kind)  sg_usual_len(SG_USUAL_END, kind)
#define SG_USUAL_BEHIND_COMPARATOR(kind)                                      \
    (sg_usual_len(SG_USUAL_VALUE, kind) + SG_USUAL_BEHIND_VALUE(kind))
#define SG_USUAL_BEHIND_METRIC(kind)                                          \
    (sg_usual_len(SG_USUAL_COMPARATOR, kind) + sizeof("eq") - 1               \
     + SG_USUAL_BEHIND_COMPARATOR(kind))
#define SG_USUAL_MIN(kind)                                                    \
    (sg_usual_len(SG_USUAL_METRIC, kind) + SG_USUAL_BEHIND_METRIC(kind))

/* the longest one whose strings end in a step of SG_PLAIN_STEP */

#define SG_USUAL_ROOM(kind)                                                   \
    (sg_usual_len(SG_USUAL_METRIC, kind) + SG_PLAIN_STEP                      \
     + sg_usual_len(SG_USUAL_COMPARATOR, kind) + sizeof("not_contains") - 1   \
     + sg_usual_len(SG_USUAL_VALUE, kind) + SG_PLAIN_STEP                     \
     + sg_usual_len(SG_USUAL_NEGATE, kind)                                    \
     + sg_usual_len(SG_USUAL_FALSE, kind))


sg_inline int sg_usual_alike(sg_cursor_t *at, const unsigned char **text,
    size_t *n, sg_canonical_t *to, int kind);
static void sg_usual_strings(sg_child_t *children);
sg_inline int sg_usual_comma(const unsigned char **p, const unsigned char *end,
    int kind);
sg_inline const unsigned char *sg_usual_condition(const unsigned char *p,
    const unsigned char *end, sg_child_t *children, int kind);
sg_inline const unsigned char *sg_usual_string(const unsigned char *p,
    const unsigned char *end, sg_child_t *child, int kind);
sg_inline const unsigned char *sg_usual_comparator(const unsigned char *p,
    sg_child_t *child);
sg_inline int sg_usual_is_comparator(const unsigned char *p, size_t len);
sg_inline const unsigned char *sg_usual_negate(const unsigned char *p,
    const unsigned char *end, sg_child_t *child, int kind);


/* as the first of them is written, so are the others; no way through them is
   too rare to compare words in line */

__attribute__((hot)) int
sg_usual_conditions(sg_cursor_t *at, const unsigned char **text, size_t *n,
    sg_canonical_t *to)
{
    size_t  colon;

    colon = sg_usual_len(SG_USUAL_METRIC, 0) - 2;

    if ((size_t) (at->end - *text) > colon + 1 && (*text)[colon + 1] == ' ') {
        return sg_usual_alike(at, text, n, to, SG_USUAL_SPACED);
    }

    return sg_usual_alike(at, text, n, to, 0);
}


sg_inline int
sg_usual_alike(sg_cursor_t *at, const unsigned char **text, size_t *n,
    sg_canonical_t *to, int kind)
{
    sg_unit_t             condition;
    const unsigned char  *p, *rest;

    sg_usual_strings(condition.children);

    p = *text;

    do {
        rest = ((size_t) (at->end - p) >= SG_USUAL_ROOM(kind))
               ? sg_usual_condition(p, at->end, condition.children,
                                    kind|SG_USUAL_ROOMY)
               : NULL;

        if (rest == NULL) {
            p = sg_cursor_cross(at, p);
            rest = sg_usual_condition(p, at->end, condition.children, kind);
        }

        if (rest == NULL) {
            *text = p;
            return 1;
        }

        if (to) {
            sg_canonical_condition(to, &condition);
        }

        ++*n;
        p = rest;

    } while (sg_usual_comma(&p, at->end, kind));

    *text = p;

    return 0;
}


sg_inline int
sg_usual_comma(const unsigned char **p, const unsigned char *end, int kind)
{
    if (*p == end || **p != ',') {
        return 0;
    }

    ++*p;

    if ((kind & SG_USUAL_SPACED) && *p < end && **p == ' ') {
        ++*p;
    }

    return 1;
}


/* what is the same of all of them */

static void
sg_usual_strings(sg_child_t *children)
{
    size_t  i;

    for (i = 0; i < SG_CHILDREN; i++) {
        children[i].kind = sg_text;
        children[i].plain = 1;
    }
}


sg_inline const unsigned char *
sg_usual_condition(const unsigned char *p, const unsigned char *end,
    sg_child_t *children, int kind)
{
    if (!sg_usual_has(p, end, SG_USUAL_MIN(kind), kind)
        || !sg_usual_is(p, SG_USUAL_METRIC, kind))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_METRIC, kind);
    p = sg_usual_string(p, end, &children[SG_METRIC], kind);

    if (p == NULL
        || !sg_usual_has(p, end, SG_USUAL_BEHIND_METRIC(kind), kind)
        || !sg_usual_is(p, SG_USUAL_COMPARATOR, kind))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_COMPARATOR, kind);
    p = sg_usual_comparator(p, &children[SG_COMPARATOR]);

    if (p == NULL
        || !sg_usual_has(p, end, SG_USUAL_BEHIND_COMPARATOR(kind), kind)
        || !sg_usual_is(p, SG_USUAL_VALUE, kind))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_VALUE, kind);
    p = sg_usual_string(p, end, &children[SG_VALUE], kind);

    if (p == NULL || !sg_usual_has(p, end, SG_USUAL_BEHIND_VALUE(kind), kind)) {
        return NULL;
    }

    return sg_usual_negate(p, end, &children[SG_NEGATE], kind);
}


/* up to where it is not plain any more: the word that has to follow begins with
   the quotation mark; NULL for one that is too long for the room */

sg_inline const unsigned char *
sg_usual_string(const unsigned char *p, const unsigned char *end,
    sg_child_t *child, int kind)
{
    size_t    n;
    uint64_t  marks;

    if (kind & SG_USUAL_ROOMY) {
        marks = sg_plain_marks(p);

        if (marks == 0) {
            return NULL;
        }

        n = sg_plain_first(marks);

    } else {
        n = sg_plain(p, end);
    }

    child->text.data = p;
    child->text.len = n;

    return p + n;
}


/* its length is known by the quotation mark behind it: what there is behind the
   metric at least is room to look for that behind the longest */

sg_inline const unsigned char *
sg_usual_comparator(const unsigned char *p, sg_child_t *child)
{
    size_t  n;

    n = sg_usual_is_comparator(p, 2) ? 2
        : sg_usual_is_comparator(p, 3) ? 3
        : sg_usual_is_comparator(p, 8) ? 8
        : sg_usual_is_comparator(p, 12) ? 12
        : 0;

    if (n == 0) {
        return NULL;
    }

    child->text.data = p;
    child->text.len = n;

    return p + n;
}


sg_inline int
sg_usual_is_comparator(const unsigned char *p, size_t len)
{
    sg_str_t  text;

    text.data = p;
    text.len = len;

    return p[len] == '"' && sg_schema_is_comparator(text);
}


/* behind the value, to behind the brace */

sg_inline const unsigned char *
sg_usual_negate(const unsigned char *p, const unsigned char *end,
    sg_child_t *child, int kind)
{
    if (sg_usual_is(p, SG_USUAL_END, kind)) {
        child->kind = sg_absent;
        return p + sg_usual_len(SG_USUAL_END, kind);
    }

    if (!sg_usual_has(p, end, sg_usual_len(SG_USUAL_NEGATE, kind)
                              + sg_usual_len(SG_USUAL_TRUE, kind), kind)
        || !sg_usual_is(p, SG_USUAL_NEGATE, kind))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_NEGATE, kind);

    if (sg_usual_has(p, end, sg_usual_len(SG_USUAL_FALSE, kind), kind)
        && sg_usual_is(p, SG_USUAL_FALSE, kind))
    {
        child->kind = sg_false;
        return p + sg_usual_len(SG_USUAL_FALSE, kind);
    }

    if (sg_usual_is(p, SG_USUAL_TRUE, kind)) {
        child->kind = sg_true;
        return p + sg_usual_len(SG_USUAL_TRUE, kind);
    }

    return NULL;
}
