
/*
 * What the values of header fields say.
 */

#include "contract/sg_header_value.h"
#include "contract/sg_headers.h"

#include <string.h>


static sg_str_t sg_header_trim(sg_str_t str);
static sg_str_t sg_header_take(sg_str_t *rest, unsigned char separator);
static int sg_charset_is_utf8(sg_str_t parameter);


int
sg_media_type_is_json(sg_str_t value)
{
    static const sg_str_t  json = sg_string("application/json");
    static const sg_str_t  utf8 = sg_string("application/json; charset=utf-8");

    int       charsets;
    sg_str_t  parameter;

    /* what nearly all clients send */

    if (sg_str_eq(value, json) || sg_str_eq(value, utf8)) {
        return 1;
    }

    if (!sg_str_caseeq(sg_header_trim(sg_header_take(&value, ';')), json)) {
        return 0;
    }

    charsets = 0;

    /* a quoted ";" splits nothing that would be accepted unsplit */

    while (value.len) {
        parameter = sg_header_trim(sg_header_take(&value, ';'));

        if (parameter.len == 0) {
            continue;
        }

        if (!sg_charset_is_utf8(parameter) || ++charsets > 1) {
            return 0;
        }
    }

    return 1;
}


static int
sg_charset_is_utf8(sg_str_t parameter)
{
    static const sg_str_t  bare = sg_string("charset=utf-8");
    static const sg_str_t  quoted = sg_string("charset=\"utf-8\"");

    return sg_str_caseeq(parameter, bare) || sg_str_caseeq(parameter, quoted);
}


int
sg_content_coding_is_identity(sg_str_t value)
{
    static const sg_str_t  identity = sg_string("identity");

    value = sg_header_trim(value);

    return value.len == 0 || sg_str_caseeq(value, identity);
}


int
sg_connection_is_plain(sg_str_t value)
{
    static const sg_str_t  keep_alive = sg_string("keep-alive");
    static const sg_str_t  close = sg_string("close");

    return sg_str_caseeq(value, keep_alive) || sg_str_caseeq(value, close);
}


int
sg_connection_nominates(sg_str_t connection, sg_str_t name)
{
    if (name.len == 0) {
        return 0;
    }

    while (connection.len) {
        if (sg_header_is(sg_header_trim(sg_header_take(&connection, ',')),
                         name))
        {
            return 1;
        }
    }

    return 0;
}


static sg_str_t
sg_header_trim(sg_str_t str)
{
    while (str.len && (str.data[0] == ' ' || str.data[0] == '\t')) {
        str.data++;
        str.len--;
    }

    while (str.len
           && (str.data[str.len - 1] == ' ' || str.data[str.len - 1] == '\t'))
    {
        str.len--;
    }

    return str;
}


/* takes what precedes the next separator off "rest" */

static sg_str_t
sg_header_take(sg_str_t *rest, unsigned char separator)
{
    sg_str_t              piece;
    const unsigned char  *p;

    piece = *rest;

    p = rest->len ? memchr(rest->data, separator, rest->len) : NULL;

    if (p == NULL) {
        rest->len = 0;
        return piece;
    }

    piece.len = (size_t) (p - piece.data);

    rest->data = p + 1;
    rest->len -= piece.len + 1;

    return piece;
}
