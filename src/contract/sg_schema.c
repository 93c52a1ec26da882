
/*
 * The documented schema of a segment.
 */

#include "sg_schema.h"

#include <string.h>


#define SG_NAME_MAX     256             /* code points */
#define SG_MEMBERS_MAX  4               /* documented ones of an object */


typedef struct {
    sg_str_t              name;
    int                   required;
    const char         *(*check)(const json_t *value);  /* NULL or message */
} sg_member_t;


typedef struct {
    const sg_member_t    *members;      /* in documented order */
    size_t                n;
} sg_object_t;


typedef struct {
    int                   pass_unknown;
    int                   in_condition; /* 1 below "conditions" */
    size_t                index;        /* valid when in_condition */
    sg_buf_t              path;         /* reused by each violation */
    sg_errors_t          *errors;
} sg_schema_t;


static void sg_schema_conditions(sg_schema_t *schema, const json_t *conditions);
static size_t sg_schema_documented(sg_schema_t *schema,
    const sg_object_t *object, const json_t *value);
static size_t sg_schema_children(const json_t **children,
    const sg_object_t *object, const json_t *value);
static size_t sg_schema_member(const sg_object_t *object, void *iter,
    sg_str_t *name);
static void sg_schema_unknown(sg_schema_t *schema, const sg_object_t *object,
    const json_t *value);
static void sg_schema_violation(sg_schema_t *schema, const sg_str_t *member,
    const char *message);

static const char *sg_schema_name(const json_t *value);
static const char *sg_schema_string(const json_t *value);
static const char *sg_schema_comparator(const json_t *value);
static const char *sg_schema_boolean(const json_t *value);
static const char *sg_schema_array(const json_t *value);


static const sg_member_t  sg_segment_members[] = {
    { sg_string("name"), 1, sg_schema_name },
    { sg_string("conditions"), 0, sg_schema_array }
};

static const sg_object_t  sg_segment = {
    sg_segment_members,
    sizeof(sg_segment_members) / sizeof(sg_segment_members[0])
};


static const sg_member_t  sg_condition_members[] = {
    { sg_string("metric"), 1, sg_schema_string },
    { sg_string("comparator"), 1, sg_schema_comparator },
    { sg_string("value"), 1, sg_schema_string },
    { sg_string("negate"), 0, sg_schema_boolean }
};

static const sg_object_t  sg_condition = {
    sg_condition_members,
    sizeof(sg_condition_members) / sizeof(sg_condition_members[0])
};


_Static_assert(sizeof(sg_segment_members) / sizeof(sg_member_t)
                   <= SG_MEMBERS_MAX
               && sizeof(sg_condition_members) / sizeof(sg_member_t)
                   <= SG_MEMBERS_MAX, "SG_MEMBERS_MAX is too small");


static const sg_str_t  sg_comparators[] = {
    sg_string("eq"), sg_string("ne"), sg_string("gt"), sg_string("gte"),
    sg_string("lt"), sg_string("lte"), sg_string("contains"),
    sg_string("not_contains")
};


void
sg_schema_check(const json_t *segment, int pass_unknown, sg_errors_t *errors)
{
    size_t       unknown;
    sg_schema_t  schema;

    schema.pass_unknown = pass_unknown;
    schema.in_condition = 0;
    schema.index = 0;
    schema.errors = errors;

    sg_buf_init(&schema.path);

    unknown = sg_schema_documented(&schema, &sg_segment, segment);
    sg_schema_conditions(&schema, json_object_get(segment, "conditions"));

    if (unknown) {
        sg_schema_unknown(&schema, &sg_segment, segment);
    }

    if (schema.path.failed) {
        errors->failed = 1;
    }

    sg_buf_free(&schema.path);
}


static void
sg_schema_conditions(sg_schema_t *schema, const json_t *conditions)
{
    size_t         n;
    const json_t  *condition;

    schema->in_condition = 1;

    n = json_array_size(conditions);    /* 0 when it is no array */

    for (schema->index = 0; schema->index < n; schema->index++) {
        condition = json_array_get(conditions, schema->index);

        if (!json_is_object(condition)) {
            sg_schema_violation(schema, NULL, "Must be an object");
            continue;
        }

        if (sg_schema_documented(schema, &sg_condition, condition)) {
            sg_schema_unknown(schema, &sg_condition, condition);
        }
    }

    schema->in_condition = 0;
}


/* returns how many other members there are */

static size_t
sg_schema_documented(sg_schema_t *schema, const sg_object_t *object,
    const json_t *value)
{
    size_t              i, unknown;
    const char         *message;
    const json_t       *children[SG_MEMBERS_MAX];
    const sg_member_t  *member;

    unknown = sg_schema_children(children, object, value);

    for (i = 0; i < object->n; i++) {
        member = &object->members[i];

        if (children[i]) {
            message = member->check(children[i]);

        } else {
            message = member->required ? "Required" : NULL;
        }

        if (message) {
            sg_schema_violation(schema, &member->name, message);
        }
    }

    return schema->pass_unknown ? 0 : unknown;
}


/* one walk: a lookup for each documented member would hash each name */

static size_t
sg_schema_children(const json_t **children, const sg_object_t *object,
    const json_t *value)
{
    void      *iter;
    size_t     i, unknown;
    json_t    *members;
    sg_str_t   name;

    for (i = 0; i < object->n; i++) {
        children[i] = NULL;
    }

    /* jansson's iterators want no const, though they change nothing */

    members = (json_t *) value;
    unknown = 0;

    for (iter = json_object_iter(members);
         iter;
         iter = json_object_iter_next(members, iter))
    {
        i = sg_schema_member(object, iter, &name);

        if (i == object->n) {
            unknown++;

        } else {
            children[i] = json_object_iter_value(iter);
        }
    }

    return unknown;
}


/* which documented member it is, object->n if it is none */

static size_t
sg_schema_member(const sg_object_t *object, void *iter, sg_str_t *name)
{
    size_t  i;

    name->data = (const unsigned char *) json_object_iter_key(iter);
    name->len = json_object_iter_key_len(iter);

    for (i = 0; i < object->n; i++) {
        if (sg_str_eq(*name, object->members[i].name)) {
            break;
        }
    }

    return i;
}


static void
sg_schema_unknown(sg_schema_t *schema, const sg_object_t *object,
    const json_t *value)
{
    void      *iter;
    json_t    *members;
    sg_str_t   name;

    members = (json_t *) value;

    for (iter = json_object_iter(members);
         iter;
         iter = json_object_iter_next(members, iter))
    {
        if (sg_schema_member(object, iter, &name) == object->n) {
            sg_schema_violation(schema, &name, "Unknown field");
        }
    }
}


static void
sg_schema_violation(sg_schema_t *schema, const sg_str_t *member,
    const char *message)
{
    sg_buf_t  *path;
    sg_str_t   field;

    if (sg_errors_skip(schema->errors)) {
        return;
    }

    path = &schema->path;
    path->len = 0;

    if (schema->in_condition) {
        sg_buf_add_cstr(path, "conditions[");
        sg_buf_add_uint(path, schema->index);
        sg_buf_add_cstr(path, member ? "]." : "]");
    }

    if (member) {
        sg_buf_add_str(path, *member);
    }

    field.data = path->data;
    field.len = path->len;

    sg_errors_add(schema->errors, field, message);
}


static const char *
sg_schema_name(const json_t *value)
{
    size_t       i, len, n;
    const char  *p;

    if (!json_is_string(value)) {
        return "Must be a string";
    }

    p = json_string_value(value);
    len = json_string_length(value);

    if (len <= SG_NAME_MAX) {
        return NULL;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        n += ((p[i] & 0xc0) != 0x80);
    }

    return n > SG_NAME_MAX ? "Value is too long" : NULL;
}


static const char *
sg_schema_string(const json_t *value)
{
    return json_is_string(value) ? NULL : "Must be a string";
}


static const char *
sg_schema_comparator(const json_t *value)
{
    size_t    i;
    sg_str_t  comparator;

    if (!json_is_string(value)) {
        return "Must be a string";
    }

    comparator.data = (const unsigned char *) json_string_value(value);
    comparator.len = json_string_length(value);

    for (i = 0; i < sizeof(sg_comparators) / sizeof(sg_comparators[0]); i++) {
        if (sg_str_eq(comparator, sg_comparators[i])) {
            return NULL;
        }
    }

    return "Must be one of eq, ne, gt, gte, lt, lte, contains, not_contains";
}


static const char *
sg_schema_boolean(const json_t *value)
{
    return json_is_boolean(value) ? NULL : "Must be a boolean";
}


static const char *
sg_schema_array(const json_t *value)
{
    return json_is_array(value) ? NULL : "Must be an array";
}
