
#include "test.h"

#include <jansson.h>

#include "contract/sg_envelope.h"


static void
check_envelope(const sg_errors_t *errors, const char *expected)
{
    sg_buf_t  out;

    sg_buf_init(&out);
    sg_envelope(&out, "request", "invalid_data", "Validation failed", errors);
    check_buf("envelope", &out, expected);
    sg_buf_free(&out);
}


static void
shapes(void **state)
{
    sg_errors_t  errors;

    (void) state;

    check_envelope(NULL,
                   "{\"error\":{\"type\":\"request\","
                   "\"code\":\"invalid_data\","
                   "\"message\":\"Validation failed\"}}");

    sg_errors_init(&errors);

    check_envelope(&errors,
                   "{\"error\":{\"type\":\"request\","
                   "\"code\":\"invalid_data\","
                   "\"message\":\"Validation failed\"}}");

    sg_errors_add(&errors, str("name"), "Required");
    sg_errors_add(&errors, str("conditions[0].value"), "Must be a string");

    check_envelope(&errors,
                   "{\"error\":{\"type\":\"request\","
                   "\"code\":\"invalid_data\","
                   "\"message\":\"Validation failed\","
                   "\"details\":["
                   "{\"field\":\"name\",\"message\":\"Required\"},"
                   "{\"field\":\"conditions[0].value\","
                   "\"message\":\"Must be a string\"}]}}");

    sg_errors_free(&errors);

    sg_buf_add_cstr(&errors.message, "say \"why\"");

    check_envelope(&errors,
                   "{\"error\":{\"type\":\"request\","
                   "\"code\":\"invalid_data\","
                   "\"message\":\"say \\\"why\\\"\"}}");

    sg_errors_free(&errors);
}


static void
more_than_are_kept(void **state)
{
    size_t       i;
    sg_buf_t     out;
    sg_errors_t  errors;

    (void) state;

    sg_errors_init(&errors);

    for (i = 0; i < 1234; i++) {
        sg_errors_add(&errors, str("name"), "Required");
    }

    sg_buf_init(&out);
    sg_envelope(&out, "request", "invalid_data", "Validation failed", &errors);
    sg_buf_add_char(&out, '\0');

    assert_non_null(strstr((char *) out.data,
                           "\"message\":\"Validation failed: 1234 violations, "
                           "of which the first 100 are listed\","
                           "\"details\":["));

    sg_buf_free(&out);
    sg_errors_free(&errors);
}


static void
appended(void **state)
{
    sg_buf_t  out;

    (void) state;

    sg_buf_init(&out);
    sg_buf_add_cstr(&out, "before ");
    sg_envelope(&out, "t", "c", "m", NULL);
    check_buf("appended", &out,
              "before {\"error\":{\"type\":\"t\",\"code\":\"c\","
              "\"message\":\"m\"}}");
    sg_buf_free(&out);
}


/* a field's name comes from the client, whatever its bytes */

static void
any_bytes_in_a_field(void **state)
{
    size_t          i;
    json_t         *envelope, *details;
    sg_buf_t        out;
    sg_str_t        field;
    sg_errors_t     errors;
    unsigned char   bytes[2];

    (void) state;

    for (i = 0; i < 65536; i++) {
        bytes[0] = (unsigned char) (i >> 8);
        bytes[1] = (unsigned char) i;
        field.data = bytes;
        field.len = 2;

        sg_errors_init(&errors);
        sg_errors_add(&errors, field, "Unknown field");

        sg_buf_init(&out);
        sg_envelope(&out, "request", "invalid_data", "m", &errors);

        envelope = json_loadb((const char *) out.data, out.len, JSON_ALLOW_NUL,
                              NULL);
        assert_non_null(envelope);

        details = json_object_get(json_object_get(envelope, "error"),
                                  "details");
        assert_int_equal(json_array_size(details), 1);

        json_decref(envelope);
        sg_buf_free(&out);
        sg_errors_free(&errors);
    }
}


static void
by_status(void **state)
{
    static const struct {
        unsigned     status;
        const char  *type, *code;
    } rows[] = {
        { 400, "request", "invalid_request" },
        { 401, "request", "control_unauthorized" },
        { 402, "request", "invalid_request" },
        { 403, "request", "control_forbidden" },
        { 404, "request", "invalid_request" },
        { 405, "request", "invalid_request" },
        { 408, "request", "invalid_request" },
        { 413, "request", "invalid_content" },
        { 414, "request", "invalid_request" },
        { 415, "request", "invalid_content" },
        { 429, "request", "rate_limit_exceeded" },
        { 494, "request", "invalid_request" },
        { 499, "request", "invalid_request" },
        { 500, "internal", "unknown_error" },
        { 501, "internal", "unknown_error" },
        { 502, "internal", "network_error" },
        { 503, "internal", "unknown_error" },
        { 504, "internal", "network_error" },
        { 505, "internal", "unknown_error" },
        { 599, "internal", "unknown_error" }
    };

    char        row[16];
    size_t      i;
    json_t     *envelope;
    sg_buf_t    out;
    const char *type, *code, *message;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "%u", rows[i].status);

        sg_buf_init(&out);
        sg_envelope_for_status(&out, rows[i].status);

        envelope = json_loadb((const char *) out.data, out.len, 0, NULL);
        assert_non_null(envelope);
        assert_int_equal(json_unpack(envelope, "{s:{s:s, s:s, s:s !} !}",
                                     "error", "type", &type, "code", &code,
                                     "message", &message),
                         0);

        check_str(row, str(type), rows[i].type);
        check_str(row, str(code), rows[i].code);
        assert_true(message[0] >= 'A' && message[0] <= 'Z');

        json_decref(envelope);
        sg_buf_free(&out);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(more_than_are_kept),
        cmocka_unit_test(appended),
        cmocka_unit_test(any_bytes_in_a_field),
        cmocka_unit_test(by_status)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
