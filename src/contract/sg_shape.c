
/*
 * The documented objects of an answer.
 */

#include "contract/sg_shape.h"
#include "contract/sg_schema.h"

#include <string.h>


static const char *sg_shape_is_segment(const json_t *value);
static const char *sg_shape_is_list(const json_t *value);
static const char *sg_shape_is_word(const json_t *value, const char *word);
static const char *sg_shape_is_string(const json_t *value);
static const char *sg_shape_is_optional(const json_t *value);
static const char *sg_shape_is_boolean(const json_t *value);
static const char *sg_shape_is_array(const json_t *value);
static const char *sg_shape_is_time(const json_t *value);
static const char *sg_shape_skip(const char *p, const char *pattern);
static int sg_shape_is_digit(char ch);
static const char *sg_shape_is_comparator(const json_t *value);
static const char *sg_shape_is_error_type(const json_t *value);
static const char *sg_shape_is_details(const json_t *value);


static const char  sg_not_named[] = "has a value that is not documented";


static const sg_shape_t  sg_shape_condition = { 4, {
    { sg_string("metric"), sg_field_metric, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("comparator"), sg_field_comparator, 1, sg_shape_is_comparator,
      NULL, 0, 0 },
    { sg_string("value"), sg_field_value, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("negate"), sg_field_negate, 0, sg_shape_is_boolean,
      NULL, 0, 0 }
} };


const sg_shape_t  sg_shape_segment = { 8, {
    { sg_string("object"), sg_field_object, 1, sg_shape_is_segment,
      NULL, 0, 0 },
    { sg_string("id"), sg_field_id, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("url"), sg_field_url, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("name"), sg_field_name, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("is_system"), sg_field_is_system, 1, sg_shape_is_boolean,
      NULL, 0, 0 },
    { sg_string("conditions"), sg_field_conditions, 1, sg_shape_is_array,
      &sg_shape_condition, sg_field_condition, 0 },
    { sg_string("created_at"), sg_field_created_at, 1, sg_shape_is_time,
      NULL, 0, 0 },
    { sg_string("updated_at"), sg_field_updated_at, 1, sg_shape_is_time,
      NULL, 0, 0 }
} };


const sg_shape_t  sg_shape_list = { 5, {
    { sg_string("object"), sg_field_object, 1, sg_shape_is_list,
      NULL, 0, 0 },
    { sg_string("url"), sg_field_url, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("data"), sg_field_data, 1, sg_shape_is_array,
      &sg_shape_segment, sg_field_data_element,
      sg_field_of_data - sg_field_object },
    { sg_string("has_more"), sg_field_has_more, 1, sg_shape_is_boolean,
      NULL, 0, 0 },
    { sg_string("next_cursor"), sg_field_next_cursor, 0, sg_shape_is_optional,
      NULL, 0, 0 }
} };


static const sg_shape_t  sg_shape_detail = { 2, {
    { sg_string("field"), sg_field_detail_field, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("message"), sg_field_detail_message, 1, sg_shape_is_string,
      NULL, 0, 0 }
} };


static const sg_shape_t  sg_shape_error = { 4, {
    { sg_string("type"), sg_field_error_type, 1, sg_shape_is_error_type,
      NULL, 0, 0 },
    { sg_string("code"), sg_field_error_code, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("message"), sg_field_error_message, 1, sg_shape_is_string,
      NULL, 0, 0 },
    { sg_string("details"), sg_field_details, 0, sg_shape_is_details,
      &sg_shape_detail, sg_field_detail, 0 }
} };


const sg_shape_t  sg_shape_envelope = { 1, {
    { sg_string("error"), sg_field_error, 1, sg_shape_is_object,
      &sg_shape_error, sg_field_error, 0 }
} };


static const char *
sg_shape_is_segment(const json_t *value)
{
    return sg_shape_is_word(value, "segment");
}


static const char *
sg_shape_is_list(const json_t *value)
{
    return sg_shape_is_word(value, "list");
}


static const char *
sg_shape_is_word(const json_t *value, const char *word)
{
    if (!json_is_string(value)) {
        return "is no string";
    }

    return strcmp(json_string_value(value), word) == 0 ? NULL : sg_not_named;
}


static const char *
sg_shape_is_string(const json_t *value)
{
    return json_is_string(value) ? NULL : "is no string";
}


static const char *
sg_shape_is_optional(const json_t *value)
{
    return json_is_string(value) || json_is_null(value)
           ? NULL : "is neither a string nor null";
}


static const char *
sg_shape_is_boolean(const json_t *value)
{
    return json_is_boolean(value) ? NULL : "is no boolean";
}


static const char *
sg_shape_is_array(const json_t *value)
{
    return json_is_array(value) ? NULL : "is no array";
}


const char *
sg_shape_is_object(const json_t *value)
{
    return json_is_object(value) ? NULL : "is no object";
}


/* ISO 8601, as RFC 3339 has it: those of the examples are in UTC and end with
   whole seconds */

static const char *
sg_shape_is_time(const json_t *value)
{
    const char  *p;

    static const char  wrong[] = "is no ISO 8601 time";

    if (!json_is_string(value)) {
        return "is no string";
    }

    p = sg_shape_skip(json_string_value(value), "0000-00-00T00:00:00");

    if (p == NULL) {
        return wrong;
    }

    if (*p == '.') {
        p++;

        if (!sg_shape_is_digit(*p)) {
            return wrong;
        }

        while (sg_shape_is_digit(*p)) {
            p++;
        }
    }

    if (*p == 'Z') {
        return p[1] ? wrong : NULL;
    }

    if (*p != '+' && *p != '-') {
        return wrong;
    }

    p = sg_shape_skip(p + 1, "00:00");

    return p && *p == '\0' ? NULL : wrong;
}


/* behind what looks like the pattern, in which 0 is any digit; or NULL */

static const char *
sg_shape_skip(const char *p, const char *pattern)
{
    for ( /* void */ ; *pattern; p++, pattern++) {
        if (*pattern == '0' ? !sg_shape_is_digit(*p) : *p != *pattern) {
            return NULL;
        }
    }

    return p;
}


static int
sg_shape_is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}


static const char *
sg_shape_is_comparator(const json_t *value)
{
    sg_str_t  text;

    if (!json_is_string(value)) {
        return "is no string";
    }

    text.data = (const unsigned char *) json_string_value(value);
    text.len = json_string_length(value);

    return sg_schema_is_comparator(text) ? NULL : sg_not_named;
}


static const char *
sg_shape_is_error_type(const json_t *value)
{
    size_t       i;
    const char  *text;

    static const char *const  types[] = {
        "request", "resource", "logical", "internal"
    };

    if (!json_is_string(value)) {
        return "is no string";
    }

    text = json_string_value(value);

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(text, types[i]) == 0) {
            return NULL;
        }
    }

    return sg_not_named;
}


/* left out where the failure is not about a field */

static const char *
sg_shape_is_details(const json_t *value)
{
    if (!json_is_array(value)) {
        return "is no array";
    }

    return json_array_size(value) ? NULL : "is empty";
}
