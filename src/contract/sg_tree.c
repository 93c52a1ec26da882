
/*
 * A body as jansson has read it.
 */

#include "contract/sg_readonly.h"
#include "contract/sg_schema.h"
#include "contract/sg_tree.h"


static void sg_tree_conditions(sg_schema_t *schema, const json_t *conditions,
    int pass_unknown);
static size_t sg_tree_unit(sg_unit_t *unit, const sg_object_t *object,
    const json_t *value);
static void sg_tree_child(sg_child_t *child, const json_t *value);
static void sg_tree_unknown(const sg_schema_t *schema,
    const sg_object_t *object, const json_t *value, int put_back);
static void sg_tree_other(const sg_schema_t *schema, sg_str_t name,
    const json_t *value, int put_back);
static sg_str_t sg_tree_member(void *iter);


void
sg_tree_check(sg_operation_e operation, const json_t *segment,
    int pass_unknown, sg_errors_t *errors)
{
    size_t       unknown;
    sg_unit_t    unit;
    sg_schema_t  schema;

    schema.errors = errors;
    schema.in_condition = 0;
    schema.index = 0;

    unknown = sg_tree_unit(&unit, &sg_segment, segment);

    sg_schema_check(&schema, &sg_segment, &unit);
    sg_tree_conditions(&schema, json_object_get(segment, "conditions"),
                       pass_unknown);

    if (unknown && !pass_unknown) {
        sg_tree_unknown(&schema, &sg_segment, segment,
                        operation == sg_op_update);
    }
}


static void
sg_tree_conditions(sg_schema_t *schema, const json_t *conditions,
    int pass_unknown)
{
    size_t         n, unknown;
    sg_unit_t      unit;
    const json_t  *condition;

    schema->in_condition = 1;

    n = json_array_size(conditions);    /* 0 when it is no array */

    for (schema->index = 0; schema->index < n; schema->index++) {
        condition = json_array_get(conditions, schema->index);

        if (!json_is_object(condition)) {
            sg_schema_no_object(schema);
            continue;
        }

        unknown = sg_tree_unit(&unit, &sg_condition, condition);
        sg_schema_check(schema, &sg_condition, &unit);

        if (unknown && !pass_unknown) {
            sg_tree_unknown(schema, &sg_condition, condition, 0);
        }
    }

    schema->in_condition = 0;
}


/*
 * One walk, since a lookup for each documented member would hash each name.
 * Returns how many other members there are.
 */

static size_t
sg_tree_unit(sg_unit_t *unit, const sg_object_t *object, const json_t *value)
{
    void    *iter;
    size_t   i, unknown;
    json_t  *members;

    for (i = 0; i < SG_CHILDREN; i++) {
        unit->children[i].kind = sg_absent;
    }

    /* jansson's iterators want no const, though they change nothing */

    members = (json_t *) value;
    unknown = 0;

    for (iter = json_object_iter(members);
         iter;
         iter = json_object_iter_next(members, iter))
    {
        i = sg_schema_find(object, sg_tree_member(iter));

        if (i == SG_CHILDREN) {
            unknown++;

        } else {
            sg_tree_child(&unit->children[i], json_object_iter_value(iter));
        }
    }

    return unknown;
}


static void
sg_tree_child(sg_child_t *child, const json_t *value)
{
    child->plain = 0;

    switch (json_typeof(value)) {

    case JSON_STRING:
        child->kind = sg_text;
        child->text.data = (const unsigned char *) json_string_value(value);
        child->text.len = json_string_length(value);
        break;

    case JSON_TRUE:
        child->kind = sg_true;
        break;

    case JSON_FALSE:
        child->kind = sg_false;
        break;

    case JSON_ARRAY:
        child->kind = sg_array;
        break;

    case JSON_OBJECT:
        child->kind = sg_object;
        break;

    default:
        child->kind = sg_other;
    }
}


static void
sg_tree_unknown(const sg_schema_t *schema, const sg_object_t *object,
    const json_t *value, int put_back)
{
    void      *iter;
    json_t    *members;
    sg_str_t   name;

    members = (json_t *) value;

    for (iter = json_object_iter(members);
         iter;
         iter = json_object_iter_next(members, iter))
    {
        name = sg_tree_member(iter);

        if (sg_schema_find(object, name) == SG_CHILDREN) {
            sg_tree_other(schema, name, json_object_iter_value(iter),
                          put_back);
        }
    }
}


/* "put_back": as an answer has it */

static void
sg_tree_other(const sg_schema_t *schema, sg_str_t name, const json_t *value,
    int put_back)
{
    const char     *message;
    sg_readonly_e   rc;

    rc = put_back ? sg_readonly_check(name, value, &message)
                  : sg_readonly_other;

    switch (rc) {

    case sg_readonly_ok:
        break;

    case sg_readonly_wrong:
        sg_schema_wrong(schema, name, message);
        break;

    default: /* sg_readonly_other */
        sg_schema_unknown(schema, name);
    }
}


static sg_str_t
sg_tree_member(void *iter)
{
    sg_str_t  name;

    name.data = (const unsigned char *) json_object_iter_key(iter);
    name.len = json_object_iter_key_len(iter);

    return name;
}
