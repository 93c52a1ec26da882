
/*
 * The query string of each operation.
 */

#include "contract/sg_query.h"

#include <ctype.h>
#include <string.h>


typedef struct {
    sg_str_t              name;
    int                 (*check)(sg_str_t value);
    const char           *message;      /* when the check fails */
} sg_parameter_t;


static sg_str_t sg_query_next(sg_str_t *query);
static const char *sg_query_parameter(sg_operation_e operation, sg_str_t name,
    sg_str_t value, int pass_unknown, unsigned *seen);
static int sg_query_decodes_to(sg_str_t name, sg_str_t plain);
static unsigned sg_query_hex(unsigned char digit);
static int sg_query_limit_ok(sg_str_t value);


static const sg_parameter_t  sg_list_parameters[] = {

    { sg_string("limit"), sg_query_limit_ok,
      "Must be an integer from 1 to 100" },

    { sg_string("starting_after"), sg_segment_id_ok,
      "Must be a segment id" }
};


#define SG_LIST_PARAMETERS                                                    \
    (sizeof(sg_list_parameters) / sizeof(sg_list_parameters[0]))


int
sg_query_check(sg_operation_e operation, sg_str_t query, int pass_unknown,
    sg_errors_t *errors)
{
    int                   rc;
    sg_str_t              name, value;
    unsigned              seen;
    const char           *message;
    const unsigned char  *eq;

    rc = 0;
    seen = 0;

    while (query.len) {
        name = sg_query_next(&query);

        if (name.len == 0) {
            continue;
        }

        value.data = NULL;
        value.len = 0;

        eq = memchr(name.data, '=', name.len);

        if (eq) {
            value.data = eq + 1;
            value.len = (size_t) (name.data + name.len - value.data);
            name.len = (size_t) (eq - name.data);
        }

        message = sg_query_parameter(operation, name, value, pass_unknown,
                                     &seen);
        if (message) {
            sg_errors_add(errors, name, message);
            rc = -1;
        }
    }

    return rc;
}


/* takes what precedes the next "&" off the query */

static sg_str_t
sg_query_next(sg_str_t *query)
{
    sg_str_t              piece;
    const unsigned char  *amp;

    piece = *query;

    amp = memchr(query->data, '&', query->len);
    if (amp == NULL) {
        query->len = 0;
        return piece;
    }

    piece.len = (size_t) (amp - piece.data);

    query->data = amp + 1;
    query->len -= piece.len + 1;

    return piece;
}


static const char *
sg_query_parameter(sg_operation_e operation, sg_str_t name, sg_str_t value,
    int pass_unknown, unsigned *seen)
{
    size_t                 i;
    const sg_parameter_t  *parameter;

    for (i = 0; operation == sg_op_list && i < SG_LIST_PARAMETERS; i++) {
        parameter = &sg_list_parameters[i];

        if (!sg_str_eq(name, parameter->name)) {

            if (sg_query_decodes_to(name, parameter->name)) {
                return "Must be written without escapes";
            }

            continue;
        }

        if (*seen & (1u << i)) {
            return "Must not be repeated";
        }

        *seen |= 1u << i;

        return parameter->check(value) ? NULL : parameter->message;
    }

    return pass_unknown ? NULL : "Unknown parameter";
}


/* whether "name" is what the upstream takes for "plain" (RFC 3986, 2.1) */

static int
sg_query_decodes_to(sg_str_t name, sg_str_t plain)
{
    size_t         i, n;
    unsigned char  ch;

    for (i = 0, n = 0; i < name.len; i++, n++) {
        ch = name.data[i];

        if (ch == '%' && name.len - i > 2
            && isxdigit(name.data[i + 1]) && isxdigit(name.data[i + 2]))
        {
            ch = (unsigned char) (sg_query_hex(name.data[i + 1]) << 4
                                  | sg_query_hex(name.data[i + 2]));
            i += 2;
        }

        if (n == plain.len || ch != plain.data[n]) {
            return 0;
        }
    }

    return n == plain.len;
}


static unsigned
sg_query_hex(unsigned char digit)
{
    return (unsigned) (isdigit(digit) ? digit - '0'
                                      : (digit | 0x20) - 'a' + 10);
}


/* no sign and no leading zero: both are read differently by different hands */

static int
sg_query_limit_ok(sg_str_t value)
{
    size_t    i;
    unsigned  n;

    if (value.len == 0 || value.len > 3 || value.data[0] == '0') {
        return 0;
    }

    n = 0;

    for (i = 0; i < value.len; i++) {

        if (value.data[i] < '0' || value.data[i] > '9') {
            return 0;
        }

        n = n * 10 + (value.data[i] - '0');
    }

    return n <= 100;
}
