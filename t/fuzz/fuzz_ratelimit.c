
/*
 * A name that a list has stands in it, and what was written into a list is
 * found there, whatever comes before it as far as it ends outside of a string.
 *
 * A list and a name are split at the input's first zero byte.
 */

#include "fuzz.h"

#include "contract/sg_limit.h"
#include "contract/sg_ratelimit.h"


static int
contains(sg_str_t text, sg_str_t part)
{
    size_t  i;

    for (i = 0; i + part.len <= text.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
ends_in_string(sg_str_t list)
{
    int     quoted;
    size_t  i;

    quoted = 0;

    for (i = 0; i < list.len; i++) {
        if (quoted && list.data[i] == '\\') {
            i++;

        } else if (list.data[i] == '"') {
            quoted = !quoted;
        }
    }

    return quoted;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_buf_t        list;
    sg_str_t        field, name;
    const uint8_t  *zero;

    zero = size ? memchr(data, '\0', size) : NULL;
    if (zero == NULL) {
        return 0;
    }

    field = fuzz_str(data, (size_t) (zero - data));
    name = fuzz_str(zero + 1, size - field.len - 1);

    if (!sg_limit_name_ok(name)) {
        return 0;
    }

    if (sg_ratelimit_has(field, name)) {
        MUST(contains(field, name));
    }

    if (ends_in_string(field)) {
        return 0;
    }

    sg_buf_init(&list);
    sg_buf_add_str(&list, field);
    sg_ratelimit_policy(&list, name, 0, 1, 2);
    MUST(sg_ratelimit_has(fuzz_buf_str(&list), name));

    list.len = field.len;
    sg_ratelimit_left(&list, name, 0, 1, 2);
    MUST(sg_ratelimit_has(fuzz_buf_str(&list), name));

    sg_buf_free(&list);

    return 0;
}
