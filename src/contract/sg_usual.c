
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


/* each from the quotation mark behind a string to behind that of the next */

#define SG_USUAL_METRIC      "{\"metric\":\""
#define SG_USUAL_COMPARATOR  "\",\"comparator\":\""
#define SG_USUAL_VALUE       "\",\"value\":\""
#define SG_USUAL_END         "\"}"
#define SG_USUAL_FALSE       "\",\"negate\":false}"
#define SG_USUAL_TRUE        "\",\"negate\":true}"

#define sg_usual_len(word)  (sizeof(word) - 1)

/* what there is from the end of a string on, at least */

#define SG_USUAL_BEHIND_VALUE       sg_usual_len(SG_USUAL_END)
#define SG_USUAL_BEHIND_COMPARATOR                                            \
    (sg_usual_len(SG_USUAL_VALUE) + SG_USUAL_BEHIND_VALUE)
#define SG_USUAL_BEHIND_METRIC                                                \
    (sg_usual_len(SG_USUAL_COMPARATOR) + sg_usual_len("eq")                   \
     + SG_USUAL_BEHIND_COMPARATOR)
#define SG_USUAL_MIN                                                          \
    (sg_usual_len(SG_USUAL_METRIC) + SG_USUAL_BEHIND_METRIC)

/* the longest one whose strings end in a step of SG_PLAIN_STEP, and a comma */

#define SG_USUAL_ROOM                                                         \
    (sg_usual_len(SG_USUAL_METRIC) + SG_PLAIN_STEP                            \
     + sg_usual_len(SG_USUAL_COMPARATOR) + sg_usual_len("not_contains")       \
     + sg_usual_len(SG_USUAL_VALUE) + SG_PLAIN_STEP                           \
     + sg_usual_len(SG_USUAL_FALSE) + 1)

/* "roomy" is a constant where a condition is read, and all of that is compiled
   for either: for 1 it asks for no room, and leaves strings that need more */

#define sg_usual_has(p, end, n, roomy)                                        \
    ((roomy) || (size_t) ((end) - (p)) >= (n))

#define sg_usual_is(p, word)  (memcmp(p, word, sg_usual_len(word)) == 0)


static void sg_usual_strings(sg_child_t *children);
sg_inline const unsigned char *sg_usual_condition(const unsigned char *p,
    const unsigned char *end, sg_child_t *children, int roomy);
sg_inline const unsigned char *sg_usual_string(const unsigned char *p,
    const unsigned char *end, sg_child_t *child, int roomy);
sg_inline const unsigned char *sg_usual_comparator(const unsigned char *p,
    sg_child_t *child);
sg_inline int sg_usual_is_comparator(const unsigned char *p, size_t len);
sg_inline const unsigned char *sg_usual_negate(const unsigned char *p,
    const unsigned char *end, sg_child_t *child, int roomy);


int
sg_usual_conditions(sg_cursor_t *at, const unsigned char **text, size_t *n,
    sg_canonical_t *to)
{
    int                   more;
    sg_unit_t             condition;
    const unsigned char  *p, *rest;

    sg_usual_strings(condition.children);

    p = *text;

    do {
        p = sg_cursor_cross(at, p);

        rest = ((size_t) (at->end - p) >= SG_USUAL_ROOM)
               ? sg_usual_condition(p, at->end, condition.children, 1) : NULL;

        if (rest == NULL) {
            rest = sg_usual_condition(p, at->end, condition.children, 0);
        }

        if (rest == NULL) {
            more = 1;
            break;
        }

        if (to) {
            sg_canonical_condition(to, &condition);
        }

        ++*n;
        p = rest;

        more = (p < at->end && *p == ',');
        p += more;

    } while (more);

    *text = p;

    return more;
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
    sg_child_t *children, int roomy)
{
    if (!sg_usual_has(p, end, SG_USUAL_MIN, roomy)
        || !sg_usual_is(p, SG_USUAL_METRIC))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_METRIC);
    p = sg_usual_string(p, end, &children[SG_METRIC], roomy);

    if (p == NULL
        || !sg_usual_has(p, end, SG_USUAL_BEHIND_METRIC, roomy)
        || !sg_usual_is(p, SG_USUAL_COMPARATOR))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_COMPARATOR);
    p = sg_usual_comparator(p, &children[SG_COMPARATOR]);

    if (p == NULL
        || !sg_usual_has(p, end, SG_USUAL_BEHIND_COMPARATOR, roomy)
        || !sg_usual_is(p, SG_USUAL_VALUE))
    {
        return NULL;
    }

    p += sg_usual_len(SG_USUAL_VALUE);
    p = sg_usual_string(p, end, &children[SG_VALUE], roomy);

    if (p == NULL || !sg_usual_has(p, end, SG_USUAL_BEHIND_VALUE, roomy)) {
        return NULL;
    }

    return sg_usual_negate(p, end, &children[SG_NEGATE], roomy);
}


/* up to where it is not plain any more: the word that has to follow begins with
   the quotation mark; NULL for one that is too long for the room */

sg_inline const unsigned char *
sg_usual_string(const unsigned char *p, const unsigned char *end,
    sg_child_t *child, int roomy)
{
    size_t  n;

    n = roomy ? sg_plain_step(p) : sg_plain(p, end);

    if (roomy && n == SG_PLAIN_STEP) {
        return NULL;
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
    sg_child_t *child, int roomy)
{
    if (sg_usual_is(p, SG_USUAL_END)) {
        child->kind = sg_absent;
        return p + sg_usual_len(SG_USUAL_END);
    }

    if (sg_usual_has(p, end, sg_usual_len(SG_USUAL_FALSE), roomy)
        && sg_usual_is(p, SG_USUAL_FALSE))
    {
        child->kind = sg_false;
        return p + sg_usual_len(SG_USUAL_FALSE);
    }

    if (sg_usual_has(p, end, sg_usual_len(SG_USUAL_TRUE), roomy)
        && sg_usual_is(p, SG_USUAL_TRUE))
    {
        child->kind = sg_true;
        return p + sg_usual_len(SG_USUAL_TRUE);
    }

    return NULL;
}
