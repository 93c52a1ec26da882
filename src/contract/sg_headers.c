
/*
 * Which header fields pass, and how Content-Type is read.
 */

#include "contract/sg_headers.h"

#include <string.h>


typedef struct {
    sg_str_t              name;         /* lower case, without the "*" */
    int                   prefix;       /* 1: every name that begins with it */
} sg_header_t;


static int sg_header_is_in(sg_str_t name, const sg_header_t *headers);
static int sg_header_match(sg_str_t name, const sg_header_t *header);
static unsigned char sg_header_fold(unsigned char ch);
static sg_str_t sg_header_trim(sg_str_t str);
static sg_str_t sg_header_take(sg_str_t *rest, unsigned char separator);
static int sg_charset_is_utf8(sg_str_t parameter);


static const sg_header_t  sg_hop_by_hop[] = {
    { sg_string("connection"), 0 },
    { sg_string("keep-alive"), 0 },
    { sg_string("proxy-"), 1 },
    { sg_string("te"), 0 },
    { sg_string("trailer"), 0 },
    { sg_string("transfer-encoding"), 0 },
    { sg_string("upgrade"), 0 },
    { { NULL, 0 }, 0 }
};


static const sg_header_t  sg_request_dropped[] = {
    { sg_string("authorization"), 0 },
    { sg_string("cookie"), 0 },
    { sg_string("accept-encoding"), 0 },
    { sg_string("content-length"), 0 },     /* nginx writes its own */
    { sg_string("x-http-method"), 1 },      /* -Override too */
    { sg_string("x-method-override"), 0 },
    { sg_string("x-original-"), 1 },        /* -URL, -URI, -Method, -Path */
    { sg_string("x-rewrite-url"), 0 },
    { sg_string("x-rewrite-uri"), 0 },
    { sg_string("x-forwarded-uri"), 0 },
    { sg_string("x-forwarded-method"), 0 },
    { sg_string("x-forwarded-path"), 0 },
    { sg_string("x-forwarded-prefix"), 0 },
    { sg_string("x-envoy-original-path"), 0 },
    { { NULL, 0 }, 0 }
};


static const sg_header_t  sg_response_dropped[] = {
    { sg_string("authorization"), 0 },
    { sg_string("proxy-authenticate"), 0 },
    { sg_string("proxy-authorization"), 0 },
    { sg_string("x-accel-"), 1 },
    { sg_string("idempotent-replayed"), 0 },    /* ours to say */
    { sg_string("idempotency-status"), 0 },
    { { NULL, 0 }, 0 }
};


static const sg_header_t  sg_response_stored[] = {
    { sg_string("content-language"), 0 },
    { sg_string("location"), 0 },
    { sg_string("etag"), 0 },
    { sg_string("last-modified"), 0 },
    { sg_string("link"), 0 },
    { sg_string("cache-control"), 0 },
    { sg_string("content-encoding"), 0 },       /* none was asked for */
    { { NULL, 0 }, 0 }
};


static const sg_header_t  sg_response_fresh[] = {
    { sg_string("set-cookie"), 0 },
    { sg_string("access-control-"), 1 },    /* of one origin */
    { sg_string("x-accel-"), 1 },
    { sg_string("ratelimit"), 1 },
    { sg_string("content-length"), 0 },
    { sg_string("content-encoding"), 0 },
    { sg_string("date"), 0 },
    { sg_string("server"), 0 },
    { sg_string("www-authenticate"), 0 },
    { sg_string("authorization"), 0 },
    { sg_string("idempotent-replayed"), 0 },
    { sg_string("idempotency-status"), 0 },
    { sg_string("retry-after"), 0 },
    { { NULL, 0 }, 0 }
};


int
sg_header_is_token(sg_str_t text)
{
    size_t         i;
    unsigned char  ch;

    for (i = 0; i < text.len; i++) {
        ch = text.data[i];

        if (ch <= 0x20 || ch >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", ch)) {
            return 0;
        }
    }

    return text.len != 0;
}


int
sg_header_is(sg_str_t name, sg_str_t other)
{
    size_t  i;

    if (name.len != other.len) {
        return 0;
    }

    for (i = 0; i < name.len; i++) {
        if (sg_header_fold(name.data[i]) != sg_header_fold(other.data[i])) {
            return 0;
        }
    }

    return 1;
}


sg_str_t
sg_request_header_name(sg_str_t name)
{
    static const sg_str_t  names[] = {
        sg_string("Content-Type"),
        sg_string("Content-Encoding"),
        sg_string("Idempotency-Key")
    };

    size_t  i;

    if (name.len && memchr(name.data, '_', name.len)) {

        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (sg_header_is(name, names[i])) {
                return names[i];
            }
        }
    }

    return name;
}


int
sg_media_type_is_json(sg_str_t value)
{
    static const sg_str_t  json = sg_string("application/json");

    int       charsets;
    sg_str_t  parameter;

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
sg_request_header_dropped(sg_str_t name)
{
    return sg_header_is_in(name, sg_hop_by_hop)
           || sg_header_is_in(name, sg_request_dropped);
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


int
sg_response_header_dropped(sg_str_t name)
{
    return sg_header_is_in(name, sg_response_dropped);
}


int
sg_response_header_stored(sg_str_t name)
{
    return sg_header_is_in(name, sg_response_stored);
}


int
sg_response_header_storable(sg_str_t name)
{
    return sg_header_is_token(name)
           && !sg_header_is_in(name, sg_hop_by_hop)
           && !sg_header_is_in(name, sg_response_fresh);
}


static int
sg_header_is_in(sg_str_t name, const sg_header_t *headers)
{
    const sg_header_t  *header;

    for (header = headers; header->name.len; header++) {
        if (sg_header_match(name, header)) {
            return 1;
        }
    }

    return 0;
}


static int
sg_header_match(sg_str_t name, const sg_header_t *header)
{
    size_t  i;

    if (header->prefix
        ? name.len < header->name.len
        : name.len != header->name.len)
    {
        return 0;
    }

    for (i = 0; i < header->name.len; i++) {
        if (sg_header_fold(name.data[i]) != header->name.data[i]) {
            return 0;
        }
    }

    return 1;
}


static unsigned char
sg_header_fold(unsigned char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return (unsigned char) (ch | 0x20);
    }

    return (ch == '_') ? '-' : ch;
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
