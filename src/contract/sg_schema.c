
/*
 * The documented schema of a segment.
 */

#include "contract/sg_schema.h"

#include <string.h>


#define SG_NAME_MAX  256                /* code points */


typedef struct {
    sg_str_t              name;
    unsigned              kinds;        /* what it may be, a bit of each */
    const char           *message;      /* of what else is there */
    const char         *(*look)(const sg_str_t *text);  /* at a string: NULL, or
                                                           a message; or NULL */
} sg_member_t;


struct sg_object_s {
    size_t                n;
    sg_member_t           members[SG_CHILDREN];     /* in documented order */
};


#define sg_schema_bit(kind)  (1u << (kind))


static inline const char *sg_schema_message(const sg_member_t *member,
    const sg_child_t *child);
static void sg_schema_violation(const sg_schema_t *schema,
    const sg_str_t *member, const char *message);
static const char *sg_schema_name(const sg_str_t *name);
static const char *sg_schema_comparator(const sg_str_t *text);


const sg_object_t  sg_segment = { 2, {

    [SG_NAME] = { sg_string("name"),
        sg_schema_bit(sg_text),
        "Must be a string", sg_schema_name },

    [SG_CONDITIONS] = { sg_string("conditions"),
        sg_schema_bit(sg_array) | sg_schema_bit(sg_absent),
        "Must be an array", NULL }
} };


const sg_object_t  sg_condition = { 4, {

    [SG_METRIC] = { sg_string("metric"),
        sg_schema_bit(sg_text),
        "Must be a string", NULL },

    [SG_COMPARATOR] = { sg_string("comparator"),
        sg_schema_bit(sg_text),
        "Must be a string", sg_schema_comparator },

    [SG_VALUE] = { sg_string("value"),
        sg_schema_bit(sg_text),
        "Must be a string", NULL },

    [SG_NEGATE] = { sg_string("negate"),
        sg_schema_bit(sg_true) | sg_schema_bit(sg_false)
        | sg_schema_bit(sg_absent),
        "Must be a boolean", NULL }
} };


size_t
sg_schema_find(const sg_object_t *object, sg_str_t name)
{
    size_t           i;
    const sg_str_t  *known;

    for (i = 0; i < object->n; i++) {
        known = &object->members[i].name;

        if (name.len == known->len
            && memcmp(name.data, known->data, name.len) == 0)
        {
            return i;
        }
    }

    return SG_CHILDREN;
}


void
sg_schema_check(const sg_schema_t *schema, const sg_object_t *object,
    const sg_unit_t *unit)
{
    size_t       i;
    const char  *message;

    for (i = 0; i < object->n; i++) {
        message = sg_schema_message(&object->members[i], &unit->children[i]);

        if (message) {
            sg_schema_violation(schema, &object->members[i].name, message);
        }
    }
}


void
sg_schema_check_child(const sg_schema_t *schema, const sg_object_t *object,
    const sg_unit_t *unit, size_t i)
{
    const char  *message;

    message = sg_schema_message(&object->members[i], &unit->children[i]);

    if (message) {
        sg_schema_violation(schema, &object->members[i].name, message);
    }
}


/* NULL where it is as documented */

static inline const char *
sg_schema_message(const sg_member_t *member, const sg_child_t *child)
{
    if (!(member->kinds & sg_schema_bit(child->kind))) {
        return (child->kind == sg_absent) ? "Required" : member->message;
    }

    return member->look ? member->look(&child->text) : NULL;
}


void
sg_schema_unknown(const sg_schema_t *schema, sg_str_t name)
{
    sg_schema_violation(schema, &name, "Unknown field");
}


void
sg_schema_wrong(const sg_schema_t *schema, sg_str_t name, const char *message)
{
    sg_schema_violation(schema, &name, message);
}


void
sg_schema_no_object(const sg_schema_t *schema)
{
    sg_schema_violation(schema, NULL, "Must be an object");
}


static void
sg_schema_violation(const sg_schema_t *schema, const sg_str_t *member,
    const char *message)
{
    sg_buf_t       path;
    sg_str_t       field;
    unsigned char  room[128];

    if (sg_errors_skip(schema->errors)) {
        return;
    }

    sg_buf_init_room(&path, room, sizeof(room));

    if (schema->in_condition) {
        sg_buf_add_cstr(&path, "conditions[");
        sg_buf_add_uint(&path, schema->index);
        sg_buf_add_cstr(&path, member ? "]." : "]");
    }

    if (member) {
        sg_buf_add_str(&path, *member);
    }

    field.data = path.data;
    field.len = path.len;

    sg_errors_add(schema->errors, field, message);

    if (path.failed) {
        schema->errors->failed = 1;
    }

    sg_buf_free(&path);
}


static const char *
sg_schema_name(const sg_str_t *name)
{
    size_t  i, n;

    if (name->len <= SG_NAME_MAX) {
        return NULL;
    }

    n = 0;

    for (i = 0; i < name->len; i++) {
        n += ((name->data[i] & 0xc0) != 0x80);
    }

    return n > SG_NAME_MAX ? "Value is too long" : NULL;
}


static const char *
sg_schema_comparator(const sg_str_t *text)
{
    return sg_schema_is_comparator(*text) ? NULL
           : "Must be one of eq, ne, gt, gte, lt, lte, contains, not_contains";
}
