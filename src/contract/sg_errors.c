
/*
 * The list of violations.
 */

#include "sg_errors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define SG_ERRORS_MIN  8


static int sg_errors_grow(sg_errors_t *errors);


void
sg_errors_init(sg_errors_t *errors)
{
    sg_buf_init(&errors->message);

    errors->violations = NULL;
    errors->n = 0;
    errors->size = 0;
    errors->failed = 0;
}


void
sg_errors_free(sg_errors_t *errors)
{
    size_t  i;

    for (i = 0; i < errors->n; i++) {
        sg_buf_free(&errors->violations[i].field);
    }

    free(errors->violations);
    sg_buf_free(&errors->message);
    sg_errors_init(errors);
}


void
sg_errors_add(sg_errors_t *errors, sg_str_t field, const char *message)
{
    unsigned char   *data;
    sg_violation_t  *v;

    if (errors->failed) {
        return;
    }

    if (errors->n == errors->size && sg_errors_grow(errors) != 0) {
        errors->failed = 1;
        return;
    }

    /* exactly as long as the field: a body may hold a million violations */

    data = malloc(field.len ? field.len : 1);
    if (data == NULL) {
        errors->failed = 1;
        return;
    }

    if (field.len) {
        memcpy(data, field.data, field.len);
    }

    v = &errors->violations[errors->n++];

    v->field.data = data;
    v->field.len = field.len;
    v->field.size = field.len;
    v->field.failed = 0;
    v->message = message;
}


static int
sg_errors_grow(sg_errors_t *errors)
{
    size_t           size;
    sg_violation_t  *violations;

    size = errors->size ? 2 * errors->size : SG_ERRORS_MIN;

    if (size > SIZE_MAX / sizeof(sg_violation_t)) {
        return -1;
    }

    violations = realloc(errors->violations, size * sizeof(sg_violation_t));
    if (violations == NULL) {
        return -1;
    }

    errors->violations = violations;
    errors->size = size;

    return 0;
}
