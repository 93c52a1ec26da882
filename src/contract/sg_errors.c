
/*
 * The list of violations.
 */

#include "contract/sg_errors.h"

#include <stdlib.h>
#include <string.h>


static size_t sg_errors_cut(sg_str_t field);
static int sg_errors_grow(sg_errors_t *errors);


static const sg_str_t  sg_errors_cut_mark = sg_string("...");


void
sg_errors_init(sg_errors_t *errors)
{
    sg_buf_init(&errors->message);
    sg_buf_init_room(&errors->fields, errors->text, SG_ERRORS_TEXT);

    errors->violations = errors->room;
    errors->n = 0;
    errors->size = SG_ERRORS_ROOM;
    errors->total = 0;
    errors->failed = 0;
}


void
sg_errors_free(sg_errors_t *errors)
{
    /* of most requests it is as it was begun, and owns nothing */

    if (errors->total == 0 && !errors->failed
        && !errors->message.owned && !errors->message.failed)
    {
        return;
    }

    if (errors->violations != errors->room) {
        free(errors->violations);
    }

    sg_buf_free(&errors->fields);
    sg_buf_free(&errors->message);
    sg_errors_init(errors);
}


void
sg_errors_add(sg_errors_t *errors, sg_str_t field, const char *message)
{
    size_t           len;
    sg_violation_t  *v;

    if (sg_errors_skip(errors)) {
        return;
    }

    errors->total++;

    if (errors->failed) {
        return;
    }

    if (errors->n == errors->size && sg_errors_grow(errors) != 0) {
        errors->failed = 1;
        return;
    }

    v = &errors->violations[errors->n++];

    v->message = message;
    v->field = errors->fields.len;

    len = sg_errors_cut(field);
    sg_buf_add(&errors->fields, field.data, len);

    if (len < field.len) {
        sg_buf_add_str(&errors->fields, sg_errors_cut_mark);
    }

    v->len = errors->fields.len - v->field;

    errors->failed = errors->fields.failed;
}


sg_str_t
sg_errors_field(const sg_errors_t *errors, size_t i)
{
    sg_str_t               field;
    const sg_violation_t  *v;

    v = &errors->violations[i];

    field.data = errors->fields.data + v->field;
    field.len = v->len;

    return field;
}


int
sg_errors_skip(sg_errors_t *errors)
{
    if (errors->n < SG_ERRORS_MAX) {
        return 0;
    }

    errors->total++;

    return 1;
}


/* how many bytes are kept: whole characters */

static size_t
sg_errors_cut(sg_str_t field)
{
    size_t  len;

    if (field.len <= SG_ERRORS_FIELD_MAX) {
        return field.len;
    }

    len = SG_ERRORS_FIELD_MAX;

    while (len && (field.data[len] & 0xc0) == 0x80) {
        len--;
    }

    return len;
}


static int
sg_errors_grow(sg_errors_t *errors)
{
    size_t           size;
    sg_violation_t  *violations;

    size = 2 * errors->size;

    violations = (errors->violations == errors->room) ? NULL
                 : errors->violations;

    violations = realloc(violations, size * sizeof(sg_violation_t));
    if (violations == NULL) {
        return -1;
    }

    if (errors->violations == errors->room) {
        memcpy(violations, errors->room, sizeof(errors->room));
    }

    errors->violations = violations;
    errors->size = size;

    return 0;
}
