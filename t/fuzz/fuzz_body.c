
/*
 * A body is refused with reasons or accepted without, every refusal is sent as
 * valid JSON, and the canonical form of what is accepted is its own canonical
 * form.  The same bytes are tried as a query string, whose names need not be
 * UTF-8.
 *
 * An update may have what a create may have, and the members that only answers
 * have.
 *
 * The first byte of the input: its lowest bit lets unknown members pass.
 */

#include "fuzz.h"

#include "contract/sg_body.h"
#include "contract/sg_envelope.h"
#include "contract/sg_json.h"
#include "contract/sg_query.h"


static void
check_envelope(const sg_errors_t *errors)
{
    json_t    *envelope, *error;
    sg_buf_t   out;

    sg_buf_init(&out);
    sg_envelope(&out, "request", "invalid_data", "Validation failed", errors);

    envelope = json_loadb((const char *) out.data, out.len,
                          JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, NULL);
    error = json_object_get(envelope, "error");

    MUST(json_is_string(json_object_get(error, "message")));
    MUST(json_array_size(json_object_get(error, "details")) == errors->n);
    MUST(errors->n || json_object_get(error, "details") == NULL);

    json_decref(envelope);
    sg_buf_free(&out);
}


static void
check_canonical(sg_str_t text, int accepted, int pass,
    const unsigned char *fingerprint)
{
    json_t         *value, *again;
    sg_buf_t        canonical, second, message;
    sg_errors_t     errors;
    sg_body_text_t  body;
    unsigned char   other[SG_FINGERPRINT_LEN];

    sg_buf_init(&canonical);
    sg_buf_init(&second);
    sg_buf_init(&message);
    sg_errors_init(&errors);

    value = sg_json_parse(text, SG_BODY_MAX_DEPTH, &message);
    MUST(value != NULL);
    sg_canonical(&canonical, value);

    again = sg_json_parse(fuzz_buf_str(&canonical), SG_BODY_MAX_DEPTH,
                          &message);
    MUST(again != NULL);
    sg_canonical(&second, again);

    MUST(json_equal(value, again));
    MUST(sg_str_eq(fuzz_buf_str(&canonical), fuzz_buf_str(&second)));

    if (accepted) {
        body.head = fuzz_buf_str(&canonical);
        body.rest = fuzz_str(NULL, 0);

        MUST(sg_body_check(sg_op_update, &body, pass, &errors, other)
             == sg_body_ok);
        MUST(memcmp(fingerprint, other, sizeof(other)) == 0);
    }

    json_decref(value);
    json_decref(again);
    sg_errors_free(&errors);
    sg_buf_free(&message);
    sg_buf_free(&second);
    sg_buf_free(&canonical);
}


static int
is_read_only(sg_str_t field)
{
    size_t  i;

    static const char *const  names[] = {
        "object", "id", "url", "is_system", "created_at", "updated_at"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (field.len == strlen(names[i])
            && memcmp(field.data, names[i], field.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* "errors" are those of the same body in a create */

static void
check_update(const sg_body_text_t *body, int pass, sg_body_e created,
    const sg_errors_t *errors)
{
    size_t       i, less;
    sg_body_e    rc;
    sg_errors_t  update;

    sg_errors_init(&update);

    rc = sg_body_check(sg_op_update, body, pass, &update, NULL);

    MUST(rc == created || (rc == sg_body_ok && created == sg_body_invalid));

    less = 0;

    for (i = 0; i < errors->n; i++) {
        less += is_read_only(sg_errors_field(errors, i));
    }

    MUST(update.total <= errors->total);

    if (errors->total == errors->n) {
        MUST(update.total + less >= errors->total);
        MUST(less || update.total == errors->total);
    }

    sg_errors_free(&update);
}


static void
check_query(sg_str_t query)
{
    int          rc;
    sg_errors_t  errors;

    sg_errors_init(&errors);
    rc = sg_query_check(sg_op_list, query, 0, &errors);

    MUST(rc == (errors.n ? -1 : 0));
    check_envelope(&errors);

    sg_errors_free(&errors);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             pass;
    sg_str_t        text;
    sg_body_e       rc;
    sg_errors_t     errors;
    sg_body_text_t  body;
    unsigned char   fingerprint[SG_FINGERPRINT_LEN];

    if (size == 0) {
        return 0;
    }

    pass = data[0] & 1;
    text = fuzz_str(data + 1, size - 1);

    sg_errors_init(&errors);
    body.head = text;
    body.rest = fuzz_str(NULL, 0);
    rc = sg_body_check(sg_op_create, &body, pass, &errors, fingerprint);

    MUST(rc != sg_body_failed);
    MUST((errors.n != 0) == (rc == sg_body_invalid));
    MUST((errors.message.len != 0)
         == (rc == sg_body_not_json || rc == sg_body_not_object));

    if (rc != sg_body_ok) {
        check_envelope(&errors);
    }

    check_update(&body, pass, rc, &errors);

    if (rc != sg_body_not_json) {
        check_canonical(text, rc == sg_body_ok, pass, fingerprint);
    }

    sg_errors_free(&errors);
    check_query(text);

    return 0;
}
