
/*
 * What is read as JSON is JSON, as a second judge has it; what is JSON and yet
 * not read is one of the few things that are refused on purpose.
 */

#include "fuzz.h"
#include "strict.h"

#include "contract/sg_json.h"


#define DEPTH  16


/* as jansson (src/load.c) and sg_json.c say it */

static const char *const  on_purpose[] = {
    ": duplicate object key",
    ": nested too deep",
    ": \\u0000 is not allowed",
    ": NUL byte in object key not supported",
    ": too big integer",
    ": too big negative integer",
    ": real number overflow",
    ": real number underflow"
};


static int
refused_on_purpose(sg_buf_t *message)
{
    size_t  i;

    sg_buf_add_char(message, '\0');

    for (i = 0; i < sizeof(on_purpose) / sizeof(on_purpose[0]); i++) {
        if (strstr((const char *) message->data, on_purpose[i])) {
            return 1;
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            json;
    json_t        *value;
    sg_buf_t       message;

    sg_buf_init(&message);

    value = sg_json_parse(fuzz_str(data, size), DEPTH, &message);

    json = strict_json(data, size, value ? DEPTH : size);

    MUST(value == NULL || json);
    MUST(value || !json || refused_on_purpose(&message));

    json_decref(value);
    sg_buf_free(&message);

    return 0;
}
