
/*
 * The names of records and the encoding of the stored headers.
 */

#include "contract/sg_record.h"
#include "contract/sg_headers.h"

#include <string.h>


typedef struct {
    sg_str_t  name, value;
} sg_record_usual_t;


static unsigned char sg_record_usual_of(sg_str_t name, sg_str_t value);
static int sg_record_value_ok(sg_str_t value);


/* by the byte that stands for each: another one is another version of the
   record, as older gateways cannot read it */

static const sg_record_usual_t  sg_record_usual[] = {
    [1] = { sg_string("Content-Type"), sg_string("application/json") },
    [2] = { sg_string("Content-Type"),
            sg_string("application/json; charset=utf-8") }
};

#define SG_RECORD_USUAL  (sizeof(sg_record_usual) / sizeof(sg_record_usual[0]))


/* what stands in a name as it is */

static const unsigned char  sg_record_unreserved[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0,     /*  !"#$%&'()*+,-./ */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,     /* 0123456789:;<=>? */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* @ABCDEFGHIJKLMNO */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1,     /* PQRSTUVWXYZ[\]^_ */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* `abcdefghijklmno */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0      /* pqrstuvwxyz{|}~  */
};


/* what a header's value has: no control character but the tab */

#define SG_RECORD_16(n)  n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n

static const unsigned char  sg_record_text[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
    SG_RECORD_16(0),
    SG_RECORD_16(1), SG_RECORD_16(1), SG_RECORD_16(1), SG_RECORD_16(1),
    SG_RECORD_16(1),
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,
    SG_RECORD_16(1), SG_RECORD_16(1), SG_RECORD_16(1), SG_RECORD_16(1),
    SG_RECORD_16(1), SG_RECORD_16(1), SG_RECORD_16(1), SG_RECORD_16(1)
};


void
sg_record_name(sg_buf_t *out, sg_str_t prefix, sg_environment_e environment,
    sg_str_t scope, sg_operation_e operation, sg_str_t key)
{
    sg_record_tag(out, prefix, environment, scope);
    sg_buf_add_literal(out, ":");
    sg_record_encode(out, key);
    sg_buf_add_literal(out, "}:");
    sg_buf_add_cstr(out, sg_operation_name(operation));
}


void
sg_record_tag(sg_buf_t *out, sg_str_t prefix, sg_environment_e environment,
    sg_str_t value)
{
    sg_buf_add_str(out, prefix);
    sg_buf_add_literal(out, "{");
    sg_buf_add_cstr(out, sg_environment_name(environment));
    sg_buf_add_literal(out, ":");
    sg_record_encode(out, value);
}


void
sg_record_encode(sg_buf_t *out, sg_str_t str)
{
    static const char  hex[] = "0123456789ABCDEF";

    char    escape[3];
    size_t  n;

    for ( ;; ) {
        n = sg_str_span(str, sg_record_unreserved);

        sg_buf_add(out, str.data, n);

        if (n == str.len) {
            return;
        }

        escape[0] = '%';
        escape[1] = hex[str.data[n] >> 4];
        escape[2] = hex[str.data[n] & 0xf];

        sg_buf_add(out, escape, sizeof(escape));

        str.data += n + 1;
        str.len -= n + 1;
    }
}


int
sg_record_prefix_ok(sg_str_t prefix)
{
    return prefix.len == 0
           || (memchr(prefix.data, '{', prefix.len) == NULL
               && memchr(prefix.data, '}', prefix.len) == NULL);
}


void
sg_record_header_add(sg_buf_t *out, sg_str_t name, sg_str_t value)
{
    unsigned char  usual;

    usual = sg_record_usual_of(name, value);

    if (usual) {
        sg_buf_add(out, &usual, 1);
        return;
    }

    if (!sg_header_is_token(name) || !sg_record_value_ok(value)) {
        return;
    }

    sg_buf_add_str(out, name);
    sg_buf_add_literal(out, ": ");
    sg_buf_add_str(out, value);
    sg_buf_add_literal(out, "\n");
}


int
sg_record_header_next(sg_str_t *rest, sg_str_t *name, sg_str_t *value)
{
    const unsigned char  *colon, *end;

    if (rest->len == 0) {
        return 0;
    }

    if (rest->data[0] > 0 && rest->data[0] < SG_RECORD_USUAL) {
        *name = sg_record_usual[rest->data[0]].name;
        *value = sg_record_usual[rest->data[0]].value;

        rest->len--;
        rest->data++;

        return 1;
    }

    end = memchr(rest->data, '\n', rest->len);
    if (end == NULL) {
        return -1;
    }

    colon = memchr(rest->data, ':', (size_t) (end - rest->data));
    if (colon == NULL || colon[1] != ' ') {
        return -1;
    }

    name->data = rest->data;
    name->len = (size_t) (colon - rest->data);

    value->data = colon + 2;
    value->len = (size_t) (end - value->data);

    if (!sg_header_is_token(*name) || !sg_record_value_ok(*value)) {
        return -1;
    }

    rest->len -= (size_t) (end + 1 - rest->data);
    rest->data = end + 1;

    return 1;
}


/* 0 where none does */

static unsigned char
sg_record_usual_of(sg_str_t name, sg_str_t value)
{
    unsigned char  i;

    for (i = 1; i < SG_RECORD_USUAL; i++) {
        if (sg_str_eq(value, sg_record_usual[i].value)
            && sg_str_eq(name, sg_record_usual[i].name))
        {
            return i;
        }
    }

    return 0;
}


static int
sg_record_value_ok(sg_str_t value)
{
    return sg_str_span(value, sg_record_text) == value.len;
}
