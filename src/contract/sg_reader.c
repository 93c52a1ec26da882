
/*
 * The reader of plain bodies, from the outside in: the body, a segment, its
 * conditions, a member, a value; sg_string.c has what is inside of a string.
 *
 * Each part takes what it knows off the text and returns where the rest begins,
 * or leaves the body with NULL; nobody looks back, but where a condition is not
 * written as nearly all are (sg_usual.c).  Violations are added on the way, in
 * the order in which jansson's tree has them: what would come out of order is
 * left.
 */

#include "contract/sg_canonical.h"
#include "contract/sg_reader.h"
#include "contract/sg_schema.h"
#include "contract/sg_string.h"
#include "contract/sg_usual.h"

#include <string.h>


typedef struct {
    sg_cursor_t           at;
    sg_schema_t           schema;
    sg_unit_t             segment;
    int                   named;        /* its name is checked already */
    sg_canonical_t       *to;           /* NULL: no fingerprint is wanted */
} sg_reader_t;


/* where the canonical form goes; NULL when it is not wanted, or not any more */
#define sg_reader_canonical(r)                                                \
    ((r)->schema.errors->total ? NULL : (r)->to)

/* takes a word, without its NUL, off the text if it stands there */
#define sg_reader_takes(r, p, word)                                           \
    ((size_t) ((r)->at.end - *(p)) >= sizeof(word) - 1                        \
     && memcmp(*(p), word, sizeof(word) - 1) == 0                             \
     && (*(p) += sizeof(word) - 1))


static sg_reader_e sg_reader_text(sg_reader_t *r, const sg_body_text_t *text,
    size_t overlap, sg_errors_t *errors, unsigned char *fingerprint);
static const unsigned char *sg_reader_segment(sg_reader_t *r,
    const unsigned char *p);
static int sg_reader_name(sg_reader_t *r);
static const unsigned char *sg_reader_conditions(sg_reader_t *r,
    const unsigned char *p);
static const unsigned char *sg_reader_condition(sg_reader_t *r,
    const unsigned char *p);
static const unsigned char *sg_reader_members(sg_reader_t *r,
    const unsigned char *p, const sg_object_t *object, sg_unit_t *unit);
static inline sg_child_t *sg_reader_member(sg_reader_t *r,
    const unsigned char **p, const sg_object_t *object, sg_unit_t *unit);
static inline size_t sg_reader_in_segment(sg_reader_t *r,
    const unsigned char **p);
static inline size_t sg_reader_in_condition(sg_reader_t *r,
    const unsigned char **p);
static const unsigned char *sg_reader_value(sg_reader_t *r,
    const unsigned char *p, sg_child_t *child);
static inline int sg_reader_take(sg_reader_t *r, const unsigned char **p,
    unsigned char ch);
static const unsigned char *sg_reader_space(sg_reader_t *r,
    const unsigned char *p);


/*
 * Of the second of two pieces no more is copied at first than members usually
 * take.  A reader that did not get past the seam may have met a longer one
 * there, and begins again, with more of it.
 */

sg_reader_e
sg_reader_body(const sg_body_text_t *text, sg_errors_t *errors,
    unsigned char *fingerprint)
{
    sg_reader_e  rc;
    sg_reader_t  r;

    rc = sg_reader_text(&r, text, SG_CURSOR_USUAL, errors, fingerprint);

    if (rc == sg_reader_left && r.at.seam) {
        sg_errors_free(errors);
        rc = sg_reader_text(&r, text, SG_CURSOR_OVERLAP, errors, fingerprint);
    }

    return rc;
}


static sg_reader_e
sg_reader_text(sg_reader_t *r, const sg_body_text_t *text, size_t overlap,
    sg_errors_t *errors, unsigned char *fingerprint)
{
    int                   rc;
    sg_canonical_t        canonical;
    const unsigned char  *p;
    unsigned char         room[SG_CURSOR_ROOM];

    if (sg_cursor_init(&r->at, text, room, overlap) != 0) {
        return sg_reader_left;
    }

    r->schema.errors = errors;
    r->schema.in_condition = 0;
    r->named = 0;
    r->to = fingerprint ? &canonical : NULL;

    if (r->to) {
        sg_canonical_begin(r->to);
    }

    p = sg_reader_segment(r, r->at.p);

    rc = (p && sg_reader_canonical(r))
         ? sg_canonical_end(r->to, &r->segment, fingerprint) : 0;

    sg_cursor_free(&r->at);

    if (p == NULL || rc != 0 || errors->failed) {
        return sg_reader_left;
    }

    return errors->total ? sg_reader_invalid : sg_reader_ok;
}


static const unsigned char *
sg_reader_segment(sg_reader_t *r, const unsigned char *p)
{
    if (!sg_reader_take(r, &p, '{')) {
        return NULL;
    }

    p = sg_reader_members(r, p, &sg_segment, &r->segment);

    if (p == NULL || sg_reader_name(r) != 0) {
        return NULL;
    }

    sg_schema_check_child(&r->schema, &sg_segment, &r->segment, SG_CONDITIONS);

    p = sg_cursor_cross(&r->at, p);
    p = sg_reader_space(r, p);

    return (p == r->at.end && r->at.seam == NULL) ? p : NULL;
}


/* what is wrong with the name has to be said first */

static int
sg_reader_name(sg_reader_t *r)
{
    size_t  before;

    if (r->named) {
        return 0;
    }

    r->named = 1;

    before = r->schema.errors->total;

    sg_schema_check_child(&r->schema, &sg_segment, &r->segment, SG_NAME);

    return (before && r->schema.errors->total != before) ? -1 : 0;
}


/* behind the bracket */

static const unsigned char *
sg_reader_conditions(sg_reader_t *r, const unsigned char *p)
{
    if (r->segment.children[SG_NAME].kind != sg_absent
        && sg_reader_name(r) != 0)
    {
        return NULL;
    }

    if (r->to) {
        sg_canonical_conditions(r->to);
    }

    if (sg_reader_take(r, &p, ']')) {
        return p;
    }

    r->schema.in_condition = 1;
    r->schema.index = 0;

    do {
        p = sg_reader_space(r, p);

        if (sg_usual_conditions(&r->at, &p, &r->schema.index,
                                sg_reader_canonical(r)))
        {
            p = sg_reader_condition(r, p);
            if (p == NULL) {
                return NULL;
            }

            r->schema.index++;
        }

    } while (sg_reader_take(r, &p, ','));

    r->schema.in_condition = 0;

    return sg_reader_take(r, &p, ']') ? p : NULL;
}


/* one that is not written as nearly all are */

static const unsigned char *
sg_reader_condition(sg_reader_t *r, const unsigned char *p)
{
    sg_unit_t  condition;

    if (!sg_reader_take(r, &p, '{')) {
        p = sg_reader_value(r, p, &condition.children[SG_METRIC]);

        if (p) {
            sg_schema_no_object(&r->schema);
        }

        return p;
    }

    p = sg_reader_members(r, p, &sg_condition, &condition);
    if (p == NULL) {
        return NULL;
    }

    sg_schema_check(&r->schema, &sg_condition, &condition);

    if (sg_reader_canonical(r)) {
        sg_canonical_condition(r->to, &condition);
    }

    return p;
}


/* behind the brace */

static const unsigned char *
sg_reader_members(sg_reader_t *r, const unsigned char *p,
    const sg_object_t *object, sg_unit_t *unit)
{
    size_t       i;
    sg_child_t  *child;

    for (i = 0; i < SG_CHILDREN; i++) {
        unit->children[i].kind = sg_absent;
    }

    if (sg_reader_take(r, &p, '}')) {
        return p;
    }

    do {
        p = sg_cursor_cross(&r->at, p);

        child = sg_reader_member(r, &p, object, unit);
        if (child == NULL) {
            return NULL;
        }

        if (child == &r->segment.children[SG_CONDITIONS]
            && sg_reader_take(r, &p, '['))
        {
            child->kind = sg_array;
            p = sg_reader_conditions(r, p);

        } else {
            p = sg_reader_value(r, p, child);
        }

        if (p == NULL) {
            return NULL;
        }

    } while (sg_reader_take(r, &p, ','));

    return sg_reader_take(r, &p, '}') ? p : NULL;
}


/* up to its value; NULL for one that is unknown, or there already */

static inline sg_child_t *
sg_reader_member(sg_reader_t *r, const unsigned char **p,
    const sg_object_t *object, sg_unit_t *unit)
{
    size_t  i;

    if (!sg_reader_take(r, p, '"')) {
        return NULL;
    }

    i = (object == &sg_segment) ? sg_reader_in_segment(r, p)
                                : sg_reader_in_condition(r, p);

    if (i == SG_CHILDREN
        || unit->children[i].kind != sg_absent
        || !sg_reader_take(r, p, ':'))
    {
        return NULL;
    }

    return &unit->children[i];
}


/* the place of the name that stands there, with a quotation mark behind it */

static inline size_t
sg_reader_in_segment(sg_reader_t *r, const unsigned char **p)
{
    return sg_reader_takes(r, p, "name\"") ? SG_NAME
           : sg_reader_takes(r, p, "conditions\"") ? SG_CONDITIONS
           : SG_CHILDREN;
}


static inline size_t
sg_reader_in_condition(sg_reader_t *r, const unsigned char **p)
{
    return sg_reader_takes(r, p, "metric\"") ? SG_METRIC
           : sg_reader_takes(r, p, "comparator\"") ? SG_COMPARATOR
           : sg_reader_takes(r, p, "value\"") ? SG_VALUE
           : sg_reader_takes(r, p, "negate\"") ? SG_NEGATE
           : SG_CHILDREN;
}


/* no number, no array and no object: none of them is documented here */

static const unsigned char *
sg_reader_value(sg_reader_t *r, const unsigned char *p, sg_child_t *child)
{
    if (sg_reader_take(r, &p, '"')) {
        return sg_string_read(&r->at, p, child);
    }

    switch (p == r->at.end ? 0 : *p) {

    case 't':
        child->kind = sg_true;
        return sg_reader_takes(r, &p, "true") ? p : NULL;

    case 'f':
        child->kind = sg_false;
        return sg_reader_takes(r, &p, "false") ? p : NULL;

    case 'n':
        child->kind = sg_other;
        return sg_reader_takes(r, &p, "null") ? p : NULL;

    default:
        return NULL;
    }
}


/* the character, where it comes next; white space before it is gone */

static inline int
sg_reader_take(sg_reader_t *r, const unsigned char **p, unsigned char ch)
{
    if (*p == r->at.end || **p != ch) {
        *p = sg_reader_space(r, *p);

        if (*p == r->at.end || **p != ch) {
            return 0;
        }
    }

    ++*p;

    return 1;
}


static const unsigned char *
sg_reader_space(sg_reader_t *r, const unsigned char *p)
{
    while (p < r->at.end
           && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
    {
        p++;
    }

    return p;
}
