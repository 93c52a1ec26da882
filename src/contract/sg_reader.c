
/*
 * The reader of plain bodies, from the outside in: the body, a segment, its
 * conditions, a member, a value, a string, an escape.
 *
 * Each part takes what it knows off the text and returns 0, or leaves the body
 * with -1; nobody looks back.  Violations are added on the way, in the order in
 * which jansson's tree has them: what would come out of order is left.
 */

#include "contract/sg_canonical.h"
#include "contract/sg_reader.h"
#include "contract/sg_schema.h"
#include "contract/sg_text.h"

#include <stdlib.h>
#include <string.h>


/* of a body in two pieces: bytes of the second that are read beside the first,
   and of the first, at most; fuzzing has less of them */

#ifndef SG_READER_OVERLAP
#define SG_READER_OVERLAP  4096
#define SG_READER_HEAD     8192
#endif


typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;

    const unsigned char  *seam;         /* where the second piece's copy begins,
                                           NULL when it is not in sight */
    sg_str_t              rest;         /* the second piece */

    size_t                size;         /* of the body */
    unsigned char        *strings;      /* malloc()ed: strings that had escapes,
                                           of "size" bytes; NULL until then */
    unsigned char        *free;         /* what is unused of them */

    sg_schema_t           schema;
    sg_unit_t             segment;
    int                   named;        /* its name is checked already */
    sg_canonical_t       *to;           /* NULL: no fingerprint is wanted */
} sg_reader_t;


static void sg_reader_join(sg_reader_t *r, const sg_body_text_t *text,
    unsigned char *room);
static void sg_reader_cross(sg_reader_t *r);
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
static int sg_reader_string(sg_reader_t *r, sg_child_t *child);
static int sg_reader_escaped(sg_reader_t *r, const unsigned char *start,
    sg_child_t *child);
static int sg_reader_escape(sg_reader_t *r);
static int sg_reader_code(sg_reader_t *r, unsigned *code);
static int sg_reader_hex(sg_reader_t *r, unsigned *code);
static int sg_reader_take(sg_reader_t *r, unsigned char ch);
static void sg_reader_space(sg_reader_t *r);


sg_reader_e
sg_reader_body(const sg_body_text_t *text, sg_errors_t *errors,
    unsigned char *fingerprint)
{
    int             rc;
    sg_reader_t     r;
    sg_canonical_t  canonical;
    unsigned char   room[SG_READER_HEAD + SG_READER_OVERLAP];

    if (text->rest.len && text->head.len > SG_READER_HEAD) {
        return sg_reader_left;
    }

    sg_reader_join(&r, text, room);

    r.strings = NULL;
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

    free(r.strings);

    if (rc != 0 || errors->failed) {
        return sg_reader_left;
    }

    return errors->total ? sg_reader_invalid : sg_reader_ok;
}


/*
 * Of two pieces the first, and as much of the second as a member should take,
 * are copied to "room"; behind the seam the second is read where it lies.
 */

static void
sg_reader_join(sg_reader_t *r, const sg_body_text_t *text, unsigned char *room)
{
    size_t  n;

    r->size = text->head.len + text->rest.len;
    r->rest = text->rest;
    r->seam = NULL;

    r->p = text->head.data;
    r->end = r->p + text->head.len;

    if (text->rest.len == 0) {
        return;
    }

    n = text->rest.len;

    if (n > SG_READER_OVERLAP) {
        n = SG_READER_OVERLAP;
        r->seam = room + text->head.len;
    }

    if (text->head.len) {
        memcpy(room, text->head.data, text->head.len);
    }

    memcpy(room + text->head.len, text->rest.data, n);

    r->p = room;
    r->end = room + text->head.len + n;
}


/* between two tokens */

static void
sg_reader_cross(sg_reader_t *r)
{
    if (r->seam && r->p >= r->seam) {
        r->p = r->rest.data + (r->p - r->seam);
        r->end = r->rest.data + r->rest.len;
        r->seam = NULL;
    }
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

    sg_reader_cross(r);
    sg_reader_space(r);

    return (r->p == r->end && r->seam == NULL) ? 0 : -1;
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
        sg_reader_cross(r);

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

    name.data = r->p;
    name.len = sg_text_plain(r->p, r->end);

    r->p += name.len;

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
    if (r->p == r->end) {
        return -1;
    }

    switch (*r->p) {

    case '"':
        r->p++;
        return sg_reader_string(r, child);

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
    if ((size_t) (r->end - r->p) < len || memcmp(r->p, word, len) != 0) {
        return -1;
    }

    r->p += len;

    return 0;
}


/* behind the quotation mark; one that has no escapes is not copied */

static int
sg_reader_string(sg_reader_t *r, sg_child_t *child)
{
    size_t                n;
    const unsigned char  *start;

    start = r->p;

    for ( ;; ) {
        r->p += sg_text_plain(r->p, r->end);

        if (r->p == r->end) {
            return -1;
        }

        if (*r->p == '"') {
            break;
        }

        if (*r->p == '\\') {
            return sg_reader_escaped(r, start, child);
        }

        n = sg_text_utf8(r->p, r->end);
        if (n == 0) {
            return -1;                  /* a control character, too */
        }

        r->p += n;
    }

    child->kind = sg_text;
    child->plain = 1;
    child->text.data = start;
    child->text.len = (size_t) (r->p - start);

    r->p++;

    return 0;
}


/* at the first backslash; no string is longer than what it was written as */

static int
sg_reader_escaped(sg_reader_t *r, const unsigned char *start,
    sg_child_t *child)
{
    size_t  n;

    if (r->strings == NULL) {
        r->strings = malloc(r->size);
        if (r->strings == NULL) {
            return -1;
        }

        r->free = r->strings;
    }

    child->kind = sg_text;
    child->plain = 0;
    child->text.data = r->free;

    r->p = start;

    while (!sg_reader_take(r, '"')) {

        n = sg_text_plain(r->p, r->end);

        if (n == 0) {

            if (sg_reader_take(r, '\\')) {

                if (sg_reader_escape(r) != 0) {
                    return -1;
                }

                continue;
            }

            n = (r->p == r->end) ? 0 : sg_text_utf8(r->p, r->end);

            if (n == 0) {
                return -1;
            }
        }

        memcpy(r->free, r->p, n);

        r->free += n;
        r->p += n;
    }

    child->text.len = (size_t) (r->free - child->text.data);

    return 0;
}


/* behind the backslash */

static int
sg_reader_escape(sg_reader_t *r)
{
    unsigned     code;
    const char  *letter;

    static const char  letters[] = "\"\\/bfnrt";
    static const char  characters[] = "\"\\/\b\f\n\r\t";

    if (sg_reader_take(r, 'u')) {

        if (sg_reader_code(r, &code) != 0) {
            return -1;
        }

        r->free += sg_text_encode(r->free, code);
        return 0;
    }

    if (r->p == r->end || *r->p == '\0') {
        return -1;
    }

    letter = strchr(letters, *r->p++);
    if (letter == NULL) {
        return -1;
    }

    *r->free++ = (unsigned char) characters[letter - letters];

    return 0;
}


/* behind \u: a code point, for which there may be two escapes (RFC 8259, 7) */

static int
sg_reader_code(sg_reader_t *r, unsigned *code)
{
    unsigned  low;

    /* U+0000 and lone surrogates are refused, with jansson's words */

    if (sg_reader_hex(r, code) != 0
        || *code == 0
        || (*code >= 0xdc00 && *code <= 0xdfff))
    {
        return -1;
    }

    if (*code < 0xd800 || *code > 0xdfff) {
        return 0;
    }

    if (!sg_reader_take(r, '\\')
        || !sg_reader_take(r, 'u')
        || sg_reader_hex(r, &low) != 0
        || low < 0xdc00 || low > 0xdfff)
    {
        return -1;
    }

    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);

    return 0;
}


/* four digits */

static int
sg_reader_hex(sg_reader_t *r, unsigned *code)
{
    unsigned       i;
    unsigned char  ch;

    if (r->end - r->p < 4) {
        return -1;
    }

    *code = 0;

    for (i = 0; i < 4; i++) {
        ch = *r->p++;

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
sg_reader_take(sg_reader_t *r, unsigned char ch)
{
    if (r->p == r->end || *r->p != ch) {
        return 0;
    }

    r->p++;

    return 1;
}


static void
sg_reader_space(sg_reader_t *r)
{
    while (r->p < r->end
           && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t'
               || *r->p == '\r'))
    {
        r->p++;
    }
}
