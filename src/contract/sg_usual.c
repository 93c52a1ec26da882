
/*
 * A condition as nearly all of them are written.
 */

#include "contract/sg_string.h"
#include "contract/sg_usual.h"

#include <string.h>


/* takes a text, without its NUL, off what stands at "p" */
#define sg_usual_takes(p, end, text)                                          \
    ((size_t) ((end) - (p)) >= sizeof(text) - 1                               \
     && memcmp(p, text, sizeof(text) - 1) == 0                                \
     && ((p) += sizeof(text) - 1))


static const unsigned char *sg_usual_string(const unsigned char *p,
    const unsigned char *end, sg_child_t *child);


const unsigned char *
sg_usual_condition(const unsigned char *p, const unsigned char *end,
    sg_unit_t *condition)
{
    sg_child_t  *children;

    children = condition->children;

    if (!sg_usual_takes(p, end, "{\"metric\":\"")
        || (p = sg_usual_string(p, end, &children[SG_METRIC])) == NULL
        || !sg_usual_takes(p, end, ",\"comparator\":\"")
        || (p = sg_usual_string(p, end, &children[SG_COMPARATOR])) == NULL
        || !sg_usual_takes(p, end, ",\"value\":\"")
        || (p = sg_usual_string(p, end, &children[SG_VALUE])) == NULL)
    {
        return NULL;
    }

    if (sg_usual_takes(p, end, ",\"negate\":false}")) {
        children[SG_NEGATE].kind = sg_false;

    } else if (sg_usual_takes(p, end, ",\"negate\":true}")) {
        children[SG_NEGATE].kind = sg_true;

    } else if (sg_usual_takes(p, end, "}")) {
        children[SG_NEGATE].kind = sg_absent;

    } else {
        return NULL;
    }

    return p;
}


/* from behind its first quotation mark to behind the other */

static const unsigned char *
sg_usual_string(const unsigned char *p, const unsigned char *end,
    sg_child_t *child)
{
    size_t  n;

    n = sg_string_plain(p, end);

    if (p + n == end || p[n] != '"') {
        return NULL;
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = p;
    child->text.len = n;

    return p + n + 1;
}
