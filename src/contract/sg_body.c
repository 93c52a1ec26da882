
/*
 * A request's body: strict JSON, then the documented schema, then its
 * fingerprint.
 */

#include "contract/sg_body.h"
#include "contract/sg_json.h"
#include "contract/sg_tree.h"

#include <stdlib.h>
#include <string.h>


static sg_body_e sg_body_check_joined(sg_operation_e operation,
    const sg_body_text_t *text, int pass_unknown, sg_errors_t *errors,
    unsigned char *fingerprint);
static sg_body_e sg_body_check_value(sg_operation_e operation,
    const json_t *value, int pass_unknown, sg_errors_t *errors,
    unsigned char *fingerprint);


sg_body_e
sg_body_check(sg_operation_e operation, const sg_body_text_t *text,
    int pass_unknown, sg_errors_t *errors, unsigned char *fingerprint)
{
    /* the reader knows what both operations have */

    switch (sg_reader_body(text, errors, fingerprint)) {

    case sg_reader_ok:
        return sg_body_ok;

    case sg_reader_invalid:
        return sg_body_invalid;

    default: /* sg_reader_left */
        sg_errors_free(errors);
        return sg_body_check_joined(operation, text, pass_unknown, errors,
                                    fingerprint);
    }
}


/* jansson wants it in one piece */

static sg_body_e
sg_body_check_joined(sg_operation_e operation, const sg_body_text_t *text,
    int pass_unknown, sg_errors_t *errors, unsigned char *fingerprint)
{
    sg_body_e       rc;
    sg_str_t        joined;
    unsigned char  *p;

    if (text->rest.len == 0) {
        return sg_body_check_tree(operation, text->head, pass_unknown, errors,
                                  fingerprint);
    }

    p = malloc(text->head.len + text->rest.len);
    if (p == NULL) {
        return sg_body_failed;
    }

    joined.data = p;
    joined.len = text->head.len + text->rest.len;

    if (text->head.len) {
        memcpy(p, text->head.data, text->head.len);
    }

    memcpy(p + text->head.len, text->rest.data, text->rest.len);

    rc = sg_body_check_tree(operation, joined, pass_unknown, errors,
                            fingerprint);

    free(p);

    return rc;
}


sg_body_e
sg_body_check_tree(sg_operation_e operation, sg_str_t text, int pass_unknown,
    sg_errors_t *errors, unsigned char *fingerprint)
{
    json_t     *value;
    sg_body_e   rc;

    value = sg_json_parse(text, SG_BODY_MAX_DEPTH, &errors->message);

    if (value == NULL) {
        rc = errors->message.len ? sg_body_not_json : sg_body_failed;

    } else {
        rc = sg_body_check_value(operation, value, pass_unknown, errors,
                                 fingerprint);
        json_decref(value);
    }

    if (errors->failed || errors->message.failed) {
        return sg_body_failed;
    }

    return rc;
}


static sg_body_e
sg_body_check_value(sg_operation_e operation, const json_t *value,
    int pass_unknown, sg_errors_t *errors, unsigned char *fingerprint)
{
    if (!json_is_object(value)) {
        sg_buf_add_cstr(&errors->message, "Request body is not a JSON object");
        return sg_body_not_object;
    }

    sg_tree_check(operation, value, pass_unknown, errors);

    if (errors->total) {
        return sg_body_invalid;
    }

    if (fingerprint && sg_fingerprint(fingerprint, value) != 0) {
        return sg_body_failed;
    }

    return sg_body_ok;
}
