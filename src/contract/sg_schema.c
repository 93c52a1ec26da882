
/*
 * The documented schema of a segment.
 */

#include "contract/sg_schema.h"

#include <string.h>


#define SG_NAME_MAX  256                /* code points */


typedef struct {
    sg_str_t              name;
    int                   required;
    const char         *(*check)(const sg_child_t *child);  /* NULL, message */
} sg_member_t;


struct sg_object_s {
    size_t                n;
    sg_member_t           members[SG_CHILDREN];     /* in documented order */
};


static void sg_schema_violation(const sg_schema_t *schema,
    const sg_str_t *member, const char *message);
static const char *sg_schema_name(const sg_child_t *child);
static const char *sg_schema_string(const sg_child_t *child);
static const char *sg_schema_comparator(const sg_child_t *child);
static const char *sg_schema_boolean(const sg_child_t *child);
static const char *sg_schema_array(const sg_child_t *child);


const sg_object_t  sg_segment = { 2, {
    [SG_NAME]       = { sg_string("name"), 1, sg_schema_name },
    [SG_CONDITIONS] = { sg_string("conditions"), 0, sg_schema_array }
} };


const sg_object_t  sg_condition = { 4, {
    [SG_METRIC]     = { sg_string("metric"), 1, sg_schema_string },
    [SG_COMPARATOR] = { sg_string("comparator"), 1, sg_schema_comparator },
    [SG_VALUE]      = { sg_string("value"), 1, sg_schema_string },
    [SG_NEGATE]     = { sg_string("negate"), 0, sg_schema_boolean }
} };


static const sg_str_t  sg_comparators[] = {
    sg_string("eq"), sg_string("ne"), sg_string("gt"), sg_string("gte"),
    sg_string("lt"), sg_string("lte"), sg_string("contains"),
    sg_string("not_contains")
};


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
    size_t  i;

    for (i = 0; i < object->n; i++) {
        sg_schema_check_child(schema, object, unit, i);
    }
}


void
sg_schema_check_child(const sg_schema_t *schema, const sg_object_t *object,
    const sg_unit_t *unit, size_t i)
{
    const char         *message;
    const sg_child_t   *child;
    const sg_member_t  *member;

    member = &object->members[i];
    child = &unit->children[i];

    if (child->kind != sg_absent) {
        message = member->check(child);

    } else {
        message = member->required ? "Required" : NULL;
    }

    if (message) {
        sg_schema_violation(schema, &member->name, message);
    }
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
sg_schema_name(const sg_child_t *child)
{
    size_t  i, n;

    if (child->kind != sg_text) {
        return "Must be a string";
    }

    if (child->text.len <= SG_NAME_MAX) {
        return NULL;
    }

    n = 0;

    for (i = 0; i < child->text.len; i++) {
        n += ((child->text.data[i] & 0xc0) != 0x80);
    }

    return n > SG_NAME_MAX ? "Value is too long" : NULL;
}


static const char *
sg_schema_string(const sg_child_t *child)
{
    return child->kind == sg_text ? NULL : "Must be a string";
}


static const char *
sg_schema_comparator(const sg_child_t *child)
{
    if (child->kind != sg_text) {
        return "Must be a string";
    }

    if (sg_schema_is_comparator(child->text)) {
        return NULL;
    }

    return "Must be one of eq, ne, gt, gte, lt, lte, contains, not_contains";
}


int
sg_schema_is_comparator(sg_str_t text)
{
    size_t           i;
    const sg_str_t  *known;

    for (i = 0; i < sizeof(sg_comparators) / sizeof(sg_comparators[0]); i++) {
        known = &sg_comparators[i];

        if (text.len == known->len
            && memcmp(text.data, known->data, known->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static const char *
sg_schema_boolean(const sg_child_t *child)
{
    return child->kind == sg_true || child->kind == sg_false
           ? NULL : "Must be a boolean";
}


static const char *
sg_schema_array(const sg_child_t *child)
{
    return child->kind == sg_array ? NULL : "Must be an array";
}
