
/*
 * The reader of plain bodies, from the outside in: the body, a segment, its
 * conditions, a member, a value; sg_string.c has what is inside of a string.
 *
 * Each part takes what it knows off the text and returns 0, or leaves the body
 * with -1; nobody looks back.  Violations are added on the way, in the order in
 * which jansson's tree has them: what would come out of order is left.
 */

#include "contract/sg_canonical.h"
#include "contract/sg_reader.h"
#include "contract/sg_schema.h"
#include "contract/sg_string.h"
#include "contract/sg_text.h"

#include <string.h>


typedef struct {
    sg_cursor_t           at;
    sg_schema_t           schema;
    sg_unit_t             segment;
    int                   named;        /* its name is checked already */
    sg_canonical_t       *to;           /* NULL: no fingerprint is wanted */
} sg_reader_t;


static int sg_reader_segment(sg_reader_t *r);
static int sg_reader_name(sg_reader_t *r);
static int sg_reader_conditions(sg_reader_t *r);
static int sg_reader_condition(sg_reader_t *r);
static int sg_reader_members(sg_reader_t *r, const sg_object_t *object,
    sg_unit_t *unit);
static sg_child_t *sg_reader_member(sg_reader_t *r, const sg_object_t *object,
    sg_unit_t *unit);
static int sg_reader_value(sg_reader_t *r, sg_child_t *child);
static int sg_reader_word(sg_reader_t *r, const char *word, size_t len);
static int sg_reader_take(sg_reader_t *r, unsigned char ch);
static void sg_reader_space(sg_reader_t *r);


sg_reader_e
sg_reader_body(const sg_body_text_t *text, sg_errors_t *errors,
    unsigned char *fingerprint)
{
    int             rc;
    sg_reader_t     r;
    sg_canonical_t  canonical;
    unsigned char   room[SG_CURSOR_ROOM];

    if (sg_cursor_init(&r.at, text, room) != 0) {
        return sg_reader_left;
    }

    r.schema.errors = errors;
    r.schema.in_condition = 0;
    r.named = 0;
    r.to = fingerprint ? &canonical : NULL;

    if (r.to) {
        sg_canonical_begin(r.to);
    }

    rc = sg_reader_segment(&r);

    if (rc == 0 && errors->total == 0 && r.to) {
        rc = sg_canonical_end(r.to, &r.segment, fingerprint);
    }

    sg_cursor_free(&r.at);

    if (rc != 0 || errors->failed) {
        return sg_reader_left;
    }

    return errors->total ? sg_reader_invalid : sg_reader_ok;
}


static int
sg_reader_segment(sg_reader_t *r)
{
    sg_reader_space(r);

    if (!sg_reader_take(r, '{')
        || sg_reader_members(r, &sg_segment, &r->segment) != 0
        || sg_reader_name(r) != 0)
    {
        return -1;
    }

    sg_schema_check_child(&r->schema, &sg_segment, &r->segment, SG_CONDITIONS);

    sg_cursor_cross(&r->at);
    sg_reader_space(r);

    return (r->at.p == r->at.end && r->at.seam == NULL) ? 0 : -1;
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

static int
sg_reader_conditions(sg_reader_t *r)
{
    if (r->segment.children[SG_NAME].kind != sg_absent
        && sg_reader_name(r) != 0)
    {
        return -1;
    }

    if (r->to) {
        sg_canonical_conditions(r->to);
    }

    sg_reader_space(r);

    if (sg_reader_take(r, ']')) {
        return 0;
    }

    r->schema.in_condition = 1;
    r->schema.index = 0;

    do {
        sg_reader_space(r);

        if (sg_reader_condition(r) != 0) {
            return -1;
        }

        r->schema.index++;

        sg_reader_space(r);

    } while (sg_reader_take(r, ','));

    r->schema.in_condition = 0;

    return sg_reader_take(r, ']') ? 0 : -1;
}


static int
sg_reader_condition(sg_reader_t *r)
{
    sg_unit_t   condition;
    sg_child_t  value;

    if (!sg_reader_take(r, '{')) {

        if (sg_reader_value(r, &value) != 0) {
            return -1;
        }

        sg_schema_no_object(&r->schema);
        return 0;
    }

    if (sg_reader_members(r, &sg_condition, &condition) != 0) {
        return -1;
    }

    sg_schema_check(&r->schema, &sg_condition, &condition);

    if (r->to && r->schema.errors->total == 0) {
        sg_canonical_condition(r->to, &condition);
    }

    return 0;
}


/* behind the brace */

static int
sg_reader_members(sg_reader_t *r, const sg_object_t *object, sg_unit_t *unit)
{
    size_t       i;
    sg_child_t  *child;

    for (i = 0; i < SG_CHILDREN; i++) {
        unit->children[i].kind = sg_absent;
    }

    sg_reader_space(r);

    if (sg_reader_take(r, '}')) {
        return 0;
    }

    do {
        sg_cursor_cross(&r->at);

        child = sg_reader_member(r, object, unit);
        if (child == NULL) {
            return -1;
        }

        if (child == &r->segment.children[SG_CONDITIONS]
            && sg_reader_take(r, '['))
        {
            child->kind = sg_array;

            if (sg_reader_conditions(r) != 0) {
                return -1;
            }

        } else if (sg_reader_value(r, child) != 0) {
            return -1;
        }

        sg_reader_space(r);

    } while (sg_reader_take(r, ','));

    return sg_reader_take(r, '}') ? 0 : -1;
}


/* up to its value; NULL for one that is unknown, or there already */

static sg_child_t *
sg_reader_member(sg_reader_t *r, const sg_object_t *object, sg_unit_t *unit)
{
    size_t    i;
    sg_str_t  name;

    sg_reader_space(r);

    if (!sg_reader_take(r, '"')) {
        return NULL;
    }

    name.data = r->at.p;
    name.len = sg_text_plain(r->at.p, r->at.end);

    r->at.p += name.len;

    if (!sg_reader_take(r, '"')) {
        return NULL;
    }

    i = sg_schema_find(object, name);

    if (i == SG_CHILDREN || unit->children[i].kind != sg_absent) {
        return NULL;
    }

    sg_reader_space(r);

    if (!sg_reader_take(r, ':')) {
        return NULL;
    }

    sg_reader_space(r);

    return &unit->children[i];
}


/* no number, no array and no object: none of them is documented here */

static int
sg_reader_value(sg_reader_t *r, sg_child_t *child)
{
    if (r->at.p == r->at.end) {
        return -1;
    }

    switch (*r->at.p) {

    case '"':
        r->at.p++;
        return sg_string_read(&r->at, child);

    case 't':
        child->kind = sg_true;
        return sg_reader_word(r, "true", 4);

    case 'f':
        child->kind = sg_false;
        return sg_reader_word(r, "false", 5);

    case 'n':
        child->kind = sg_other;
        return sg_reader_word(r, "null", 4);

    default:
        return -1;
    }
}


/* what stands behind it is for the caller: no comma, no end, no value */

static int
sg_reader_word(sg_reader_t *r, const char *word, size_t len)
{
    if ((size_t) (r->at.end - r->at.p) < len
        || memcmp(r->at.p, word, len) != 0)
    {
        return -1;
    }

    r->at.p += len;

    return 0;
}


static int
sg_reader_take(sg_reader_t *r, unsigned char ch)
{
    if (r->at.p == r->at.end || *r->at.p != ch) {
        return 0;
    }

    r->at.p++;

    return 1;
}


static void
sg_reader_space(sg_reader_t *r)
{
    while (r->at.p < r->at.end
           && (*r->at.p == ' ' || *r->at.p == '\n' || *r->at.p == '\t'
               || *r->at.p == '\r'))
    {
        r->at.p++;
    }
}
