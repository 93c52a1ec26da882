
/*
 * A request's body: strict JSON, then the documented schema, then its
 * fingerprint.
 */

#include "sg_body.h"
#include "sg_json.h"
#include "sg_schema.h"


/* a body of some ten conditions needs no other memory */

#define SG_BODY_ROOM  8192


static sg_body_e sg_body_check_value(const json_t *value, int pass_unknown,
    sg_errors_t *errors, unsigned char *fingerprint);


sg_body_e
sg_body_check(sg_operation_e operation, sg_str_t text, int pass_unknown,
    sg_errors_t *errors, unsigned char *fingerprint)
{
    sg_body_e      rc;
    sg_arena_t     arena;
    const json_t  *value;

    _Alignas(max_align_t) unsigned char  room[SG_BODY_ROOM];

    (void) operation;                   /* both bodies are documented alike */

    sg_arena_init(&arena, room, sizeof(room));

    value = sg_json_parse(&arena, text, SG_BODY_MAX_DEPTH, &errors->message);

    if (value == NULL) {
        rc = errors->message.len ? sg_body_not_json : sg_body_failed;

    } else {
        rc = sg_body_check_value(value, pass_unknown, errors, fingerprint);
    }

    sg_arena_free(&arena);

    if (errors->failed || errors->message.failed) {
        return sg_body_failed;
    }

    return rc;
}


static sg_body_e
sg_body_check_value(const json_t *value, int pass_unknown, sg_errors_t *errors,
    unsigned char *fingerprint)
{
    if (!json_is_object(value)) {
        sg_buf_add_cstr(&errors->message, "Request body is not a JSON object");
        return sg_body_not_object;
    }

    sg_schema_check(value, pass_unknown, errors);

    if (errors->n) {
        return sg_body_invalid;
    }

    if (fingerprint && sg_fingerprint(fingerprint, value) != 0) {
        return sg_body_failed;
    }

    return sg_body_ok;
}
