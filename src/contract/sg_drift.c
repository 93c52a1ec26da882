
/*
 * An upstream's answer, compared with what is documented.
 */

#include "contract/sg_drift.h"
#include "contract/sg_answer.h"
#include "contract/sg_json.h"
#include "contract/sg_shape.h"

#include <string.h>


#define SG_DRIFT_MAX_DEPTH  16          /* the top level counted */
#define SG_DRIFT_TOLD       60000       /* milliseconds from line to line */


/* where in the answer a shape is compared */
typedef struct {
    sg_field_e            field;        /* of the object itself */
    int                   shift;
} sg_drift_place_t;


static int sg_drift_is_page(const sg_answered_t *answer);
static sg_drift_e sg_drift_value(const sg_shape_t *shape, sg_str_t body,
    sg_drift_t *drift);
static const sg_shape_t *sg_drift_shape(sg_operation_e operation);
static void sg_drift_object(const sg_shape_t *shape, sg_drift_place_t place,
    const json_t *value, sg_drift_t *drift);
static size_t sg_drift_find(const sg_shape_t *shape, const char *name,
    size_t len);
static void sg_drift_member(const sg_shape_member_t *member, int shift,
    const json_t *value, sg_drift_t *drift);
static sg_drift_place_t sg_drift_inner(const sg_shape_member_t *member,
    int shift);
static void sg_drift_all(const sg_shape_t *shape, sg_drift_place_t place,
    sg_drift_t *drift);
static void sg_drift_mark(sg_drift_t *drift, sg_field_e field,
    const char *words);


static const sg_drift_place_t  sg_drift_outermost = { sg_field_answer, 0 };


sg_drift_e
sg_drift_check(sg_operation_e operation, const sg_answered_t *answer,
    sg_drift_t *drift)
{
    memset(drift, 0, sizeof(sg_drift_t));

    if (answer->status == 206 || answer->status == 304) {
        return sg_drift_unchecked;
    }

    if (answer->status < 200
        || (answer->status >= 300 && answer->status < 400))
    {
        sg_drift_mark(drift, sg_field_status, "is not documented");
        return sg_drift_found;
    }

    if (answer->status < 300 && operation == sg_op_delete) {

        if (answer->body.len == 0) {
            return sg_drift_none;
        }

        sg_drift_mark(drift, sg_field_answer, "is not documented");
        return sg_drift_found;
    }

    if (sg_drift_is_page(answer)) {
        sg_drift_mark(drift, sg_field_page, "is not documented");
        return sg_drift_found;
    }

    if (!sg_answer_is_json(answer->type)) {
        sg_drift_mark(drift, sg_field_type, "is not application/json");
    }

    return sg_drift_value(answer->status < 300 ? sg_drift_shape(operation)
                                               : &sg_shape_envelope,
                          answer->body, drift);
}


/* whatever it calls itself */

static int
sg_drift_is_page(const sg_answered_t *answer)
{
    sg_str_t  text;

    static const sg_str_t  html = sg_string("text/html");

    text = answer->type;

    if (text.len > html.len) {
        text.len = html.len;
    }

    if (sg_str_caseeq(text, html)) {
        return 1;
    }

    text = answer->body;

    while (text.len && memchr(" \t\r\n", text.data[0], 4)) {
        text.data++;
        text.len--;
    }

    return text.len && text.data[0] == '<';
}


static sg_drift_e
sg_drift_value(const sg_shape_t *shape, sg_str_t body, sg_drift_t *drift)
{
    int        failed;
    json_t    *value;
    sg_buf_t   message;

    sg_buf_init(&message);

    value = sg_json_parse(body, SG_DRIFT_MAX_DEPTH, &message);
    failed = (value == NULL && message.len == 0);

    sg_buf_free(&message);

    if (failed) {
        return sg_drift_failed;
    }

    if (value == NULL) {
        sg_drift_mark(drift, sg_field_text, "is malformed");

    } else {
        sg_drift_object(shape, sg_drift_outermost, value, drift);
        json_decref(value);
    }

    return drift->fields ? sg_drift_found : sg_drift_none;
}


/* of what is answered in a body with a 2xx; NULL where there is none */

static const sg_shape_t *
sg_drift_shape(sg_operation_e operation)
{
    switch (operation) {

    case sg_op_list:
    case sg_op_list_system:
        return &sg_shape_list;

    case sg_op_delete:
        return NULL;

    default:
        return &sg_shape_segment;
    }
}


static void
sg_drift_object(const sg_shape_t *shape, sg_drift_place_t place,
    const json_t *value, sg_drift_t *drift)
{
    void        *iter;
    size_t       i;
    json_t      *members;
    unsigned     seen;
    const char  *wrong;

    wrong = sg_shape_is_object(value);

    if (wrong) {
        sg_drift_mark(drift, place.field, wrong);
        return;
    }

    /* jansson's iterators want no const, though they change nothing */

    members = (json_t *) value;
    seen = 0;

    for (iter = json_object_iter(members);
         iter;
         iter = json_object_iter_next(members, iter))
    {
        i = sg_drift_find(shape, json_object_iter_key(iter),
                          json_object_iter_key_len(iter));

        if (i == shape->n) {
            drift->additional |= SG_FIELD(place.field);
            continue;
        }

        seen |= 1u << i;

        sg_drift_member(&shape->members[i], place.shift,
                        json_object_iter_value(iter), drift);
    }

    for (i = 0; i < shape->n; i++) {

        if (shape->members[i].required && !(seen & (1u << i))) {
            sg_drift_mark(drift, shape->members[i].field + place.shift,
                          "is missing");
        }
    }
}


static size_t
sg_drift_find(const sg_shape_t *shape, const char *name, size_t len)
{
    size_t           i;
    const sg_str_t  *known;

    for (i = 0; i < shape->n; i++) {
        known = &shape->members[i].name;

        if (len == known->len && memcmp(name, known->data, len) == 0) {
            break;
        }
    }

    return i;
}


static void
sg_drift_member(const sg_shape_member_t *member, int shift,
    const json_t *value, sg_drift_t *drift)
{
    size_t       i, n;
    const char  *wrong;

    wrong = member->check(value);

    if (wrong) {
        sg_drift_mark(drift, member->field + shift, wrong);
        return;
    }

    if (member->inner == NULL) {
        return;
    }

    if (json_is_object(value)) {
        sg_drift_object(member->inner, sg_drift_inner(member, shift), value,
                        drift);
        return;
    }

    n = json_array_size(value);

    for (i = 0; i < n; i++) {
        sg_drift_object(member->inner, sg_drift_inner(member, shift),
                        json_array_get(value, i), drift);
    }
}


static sg_drift_place_t
sg_drift_inner(const sg_shape_member_t *member, int shift)
{
    sg_drift_place_t  place;

    place.field = member->inner_field + shift;
    place.shift = member->shift + shift;

    return place;
}


void
sg_drift_possible(sg_operation_e operation, sg_drift_t *drift)
{
    const sg_shape_t  *shape;

    memset(drift, 0, sizeof(sg_drift_t));

    drift->fields = SG_FIELD(sg_field_status)
                    | SG_FIELD(sg_field_page)
                    | SG_FIELD(sg_field_type)
                    | SG_FIELD(sg_field_text);

    sg_drift_all(&sg_shape_envelope, sg_drift_outermost, drift);

    shape = sg_drift_shape(operation);

    if (shape) {
        sg_drift_all(shape, sg_drift_outermost, drift);
    }
}


int
sg_drift_due(unsigned long last, unsigned long now)
{
    return last == 0
           || (now - last >= SG_DRIFT_TOLD && last - now >= SG_DRIFT_TOLD);
}


static void
sg_drift_all(const sg_shape_t *shape, sg_drift_place_t place,
    sg_drift_t *drift)
{
    size_t                    i;
    const sg_shape_member_t  *member;

    drift->fields |= SG_FIELD(place.field);
    drift->additional |= SG_FIELD(place.field);

    for (i = 0; i < shape->n; i++) {
        member = &shape->members[i];

        drift->fields |= SG_FIELD(member->field + place.shift);

        if (member->inner) {
            sg_drift_all(member->inner, sg_drift_inner(member, place.shift),
                         drift);
        }
    }
}


/* of the first one the words stay */

static void
sg_drift_mark(sg_drift_t *drift, sg_field_e field, const char *words)
{
    if (drift->fields == 0) {
        drift->first = field;
        drift->words = words;
    }

    drift->fields |= SG_FIELD(field);
}
