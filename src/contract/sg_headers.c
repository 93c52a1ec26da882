
/*
 * Which header fields pass, and how Content-Type is read.
 */

#include "contract/sg_headers.h"

#include <string.h>


typedef struct {
    sg_str_t              name;         /* lower case, without the "*" */
    int                   prefix;       /* 1: every name that begins with it */
} sg_header_t;


/* names are compared in lower case, and "_" is "-" */
#define sg_header_fold(ch)  sg_header_folded[ch]


static int sg_header_is_in(sg_str_t name, const sg_header_t *headers);
static int sg_header_match(sg_str_t name, const sg_header_t *header);
static sg_str_t sg_header_trim(sg_str_t str);
static sg_str_t sg_header_take(sg_str_t *rest, unsigned char separator);
static int sg_charset_is_utf8(sg_str_t parameter);


static const unsigned char  sg_header_folded[256] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
    0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
    0x20,  '!',  '"',  '#',  '$',  '%',  '&', 0x27,
     '(',  ')',  '*',  '+',  ',',  '-',  '.',  '/',
     '0',  '1',  '2',  '3',  '4',  '5',  '6',  '7',
     '8',  '9',  ':',  ';',  '<',  '=',  '>',  '?',
     '@',  'a',  'b',  'c',  'd',  'e',  'f',  'g',
     'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',
     'p',  'q',  'r',  's',  't',  'u',  'v',  'w',
     'x',  'y',  'z',  '[', 0x5c,  ']',  '^',  '-',
     '`',  'a',  'b',  'c',  'd',  'e',  'f',  'g',
     'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',
     'p',  'q',  'r',  's',  't',  'u',  'v',  'w',
     'x',  'y',  'z',  '{',  '|',  '}',  '~', 0x7f,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
    0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
    0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f,
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
    0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
    0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7,
    0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf,
    0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
    0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf,
    0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7,
    0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
    0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
    0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7,
    0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff
};


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
    unsigned char       first;
    const sg_header_t  *header;

    if (name.len == 0) {
        return 0;
    }

    first = sg_header_fold(name.data[0]);

    for (header = headers; header->name.len; header++) {
        if (header->name.data[0] == first && sg_header_match(name, header)) {
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
