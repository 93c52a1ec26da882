
/*
 * Qonversion's error envelope.
 */

#include "contract/sg_envelope.h"
#include "contract/sg_json.h"

#include <string.h>


typedef struct {
    unsigned              status;
    const char           *type;
    const char           *code;
    const char           *message;
} sg_status_error_t;


static void sg_envelope_message(sg_buf_t *out, const char *message,
    const sg_errors_t *errors);
static void sg_envelope_details(sg_buf_t *out, const sg_errors_t *errors);
static sg_str_t sg_envelope_cstr(const char *text);
static sg_str_t sg_envelope_buf(const sg_buf_t *buf);


static const sg_status_error_t  sg_status_errors[] = {

    { 400, "request", "invalid_request", "Bad request" },
    { 401, "request", "control_unauthorized", "Authentication is required" },
    { 403, "request", "control_forbidden", "Access is forbidden" },
    { 404, "request", "invalid_request", "Not found" },
    { 405, "request", "invalid_request", "Method is not allowed" },
    { 413, "request", "invalid_content", "Request body is too large" },
    { 415, "request", "invalid_content", "Content type is not supported" },
    { 429, "request", "rate_limit_exceeded", "Too many requests" },
    { 502, "internal", "network_error", "Upstream gave no valid answer" },
    { 503, "internal", "unknown_error", "Service is unavailable" },
    { 504, "internal", "network_error", "Upstream did not answer in time" }
};

static const sg_status_error_t  sg_other_4xx = {
    0, "request", "invalid_request", "Request is not accepted"
};

static const sg_status_error_t  sg_other_status = {
    0, "internal", "unknown_error", "Internal error"
};


/*
 * Written at once: jansson's dump would first want an object of each.  What is
 * static has nothing to escape.
 */

void
sg_envelope(sg_buf_t *out, const char *type, const char *code,
    const char *message, const sg_errors_t *errors)
{
    sg_buf_add_literal(out, "{\"error\":{\"type\":\"");
    sg_buf_add_cstr(out, type);
    sg_buf_add_literal(out, "\",\"code\":\"");
    sg_buf_add_cstr(out, code);
    sg_buf_add_literal(out, "\",\"message\":");
    sg_envelope_message(out, message, errors);

    if (errors && errors->n) {
        sg_envelope_details(out, errors);
    }

    sg_buf_add_literal(out, "}}");
}


static void
sg_envelope_message(sg_buf_t *out, const char *message,
    const sg_errors_t *errors)
{
    sg_buf_t  text;

    if (errors == NULL
        || (errors->message.len == 0 && errors->n == errors->total))
    {
        sg_json_string(out, sg_envelope_cstr(message));
        return;
    }

    if (errors->message.len) {
        sg_json_string(out, sg_envelope_buf(&errors->message));
        return;
    }

    sg_buf_init(&text);
    sg_buf_add_cstr(&text, message);
    sg_buf_add_literal(&text, ": ");
    sg_buf_add_uint(&text, errors->total);
    sg_buf_add_literal(&text, " violations, of which the first ");
    sg_buf_add_uint(&text, errors->n);
    sg_buf_add_literal(&text, " are listed");

    sg_json_string(out, sg_envelope_buf(&text));

    out->failed |= text.failed;
    sg_buf_free(&text);
}


static void
sg_envelope_details(sg_buf_t *out, const sg_errors_t *errors)
{
    size_t                 i;
    const sg_violation_t  *v;

    sg_buf_add_literal(out, ",\"details\":[");

    for (i = 0; i < errors->n; i++) {
        v = &errors->violations[i];

        if (i) {
            sg_buf_add_literal(out, ",");
        }

        sg_buf_add_literal(out, "{\"field\":");
        sg_json_string(out, sg_errors_field(errors, i));
        sg_buf_add_literal(out, ",\"message\":\"");
        sg_buf_add_cstr(out, v->message);
        sg_buf_add_literal(out, "\"}");
    }

    sg_buf_add_literal(out, "]");
}


static sg_str_t
sg_envelope_cstr(const char *text)
{
    sg_str_t  str;

    str.data = (const unsigned char *) text;
    str.len = strlen(text);

    return str;
}


static sg_str_t
sg_envelope_buf(const sg_buf_t *buf)
{
    sg_str_t  str;

    str.data = buf->data;
    str.len = buf->len;

    return str;
}


void
sg_envelope_for_status(sg_buf_t *out, unsigned status)
{
    size_t                    i, n;
    const sg_status_error_t  *error;

    error = (status >= 400 && status < 500) ? &sg_other_4xx : &sg_other_status;

    n = sizeof(sg_status_errors) / sizeof(sg_status_errors[0]);

    for (i = 0; i < n; i++) {
        if (sg_status_errors[i].status == status) {
            error = &sg_status_errors[i];
            break;
        }
    }

    sg_envelope(out, error->type, error->code, error->message, NULL);
}
