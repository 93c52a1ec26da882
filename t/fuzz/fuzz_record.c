
/*
 * Headers that were read are written back to the same bytes, but for the usual
 * ones, which become shorter, and are the same when they are read again; a
 * header that was written is read back alone, and a record's name gives back
 * what it was made of.
 *
 * A name and a value, or a scope and a key, are split at the input's first
 * zero byte.
 */

#include "fuzz.h"

#include "contract/sg_record.h"


#define PREFIX  "segments:"


static void
check_lines(sg_str_t stored)
{
    int                   rc;
    size_t                len;
    sg_buf_t              lines;
    sg_str_t              rest, name, value, again, got_name, got_value;
    const unsigned char  *p;

    sg_buf_init(&lines);
    rest = stored;

    for ( ;; ) {
        p = rest.data;
        len = lines.len;

        rc = sg_record_header_next(&rest, &name, &value);
        if (rc != 1) {
            break;
        }

        sg_record_header_add(&lines, name, value);

        again.data = lines.data + len;
        again.len = lines.len - len;

        if (again.len == 1) {
            MUST(sg_record_header_next(&again, &got_name, &got_value) == 1);
            MUST(sg_str_eq(got_name, name) && sg_str_eq(got_value, value));
            continue;
        }

        MUST(again.len == (size_t) (rest.data - p));
        MUST(memcmp(again.data, p, again.len) == 0);
    }

    MUST(rc == 0 || rest.len != 0);

    sg_buf_free(&lines);
}


static void
check_header(sg_str_t name, sg_str_t value)
{
    sg_buf_t  lines;
    sg_str_t  rest, got_name, got_value;

    sg_buf_init(&lines);
    sg_record_header_add(&lines, name, value);
    rest = fuzz_buf_str(&lines);

    if (rest.len) {
        MUST(sg_record_header_next(&rest, &got_name, &got_value) == 1);
        MUST(sg_str_eq(got_name, name));
        MUST(sg_str_eq(got_value, value));
    }

    MUST(sg_record_header_next(&rest, &got_name, &got_value) == 0);

    sg_buf_free(&lines);
}


static const unsigned char *
check_decoded(const unsigned char *p, const unsigned char *end,
    unsigned char last, sg_str_t expected)
{
    char      hex[3] = { 0, 0, 0 };
    size_t    i;
    unsigned  byte;

    for (i = 0; i < expected.len; i++) {
        MUST(p < end);
        byte = *p++;

        if (byte == '%') {
            MUST(end - p >= 2);
            hex[0] = (char) *p++;
            hex[1] = (char) *p++;
            byte = (unsigned) strtoul(hex, NULL, 16);
        }

        MUST(byte == expected.data[i]);
    }

    if (last) {
        MUST(p < end && *p == last);
    }

    return p;
}


static void
check_name(sg_str_t scope, sg_str_t key)
{
    static const char  head[] = PREFIX "{sandbox:";
    static const char  last[] = "}:create";

    sg_buf_t              name;
    sg_str_t              prefix;
    const unsigned char  *p, *end;

    prefix = fuzz_str(PREFIX, sizeof(PREFIX) - 1);

    sg_buf_init(&name);
    sg_record_name(&name, prefix, sg_env_sandbox, scope, sg_op_create, key);

    p = name.data;
    end = p + name.len;

    MUST(name.len > sizeof(head) - 1);
    MUST(memcmp(p, head, sizeof(head) - 1) == 0);

    p = check_decoded(p + sizeof(head) - 1, end, ':', scope);
    p = check_decoded(p + 1, end, '}', key);

    MUST((size_t) (end - p) == sizeof(last) - 1);
    MUST(memcmp(p, last, sizeof(last) - 1) == 0);

    sg_buf_free(&name);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_str_t        one, two;
    const uint8_t  *zero;

    check_lines(fuzz_str(data, size));

    zero = size ? memchr(data, 0, size) : NULL;

    one = fuzz_str(data, zero ? (size_t) (zero - data) : size);
    two = zero ? fuzz_str(zero + 1, (size_t) (data + size - zero - 1))
               : fuzz_str(data, 0);

    check_header(one, two);
    check_name(one, two);

    return 0;
}
