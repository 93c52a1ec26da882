
/*
 * Which header fields pass.
 */

#include "contract/sg_headers.h"

#include <string.h>


typedef struct {
    sg_str_t              name;         /* as it is mostly written */
    int                   prefix;       /* 1: every name that begins with it */
    sg_header_e            field;        /* of a request's */
} sg_header_t;


/*
 * A list is found by the first letter, whichever case it is in: what else has
 * the same five bits is told by the name.
 */
typedef const sg_header_t  *sg_headers_t[32];

#define sg_header_at(ch)      ((ch) & 31)
#define sg_header_list        (const sg_header_t[])
#define sg_header(name)       { sg_string(name), 0, sg_header_dropped }
#define sg_header_all(name)   { sg_string(name), 1, sg_header_dropped }
#define sg_header_end         { { NULL, 0 }, 0, sg_header_passes }

/* names are compared in lower case, and "_" is "-" */
#define sg_header_fold(ch)    sg_header_folded[ch]


static inline const sg_header_t *sg_header_find(sg_str_t name,
    const sg_headers_t headers);
static const sg_header_t *sg_header_in(sg_str_t name,
    const sg_header_t *header);
static int sg_header_same(const unsigned char *name, sg_str_t known);


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


/* what a token is made of (RFC 9110, 5.6.2) */

static const unsigned char  sg_header_token[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0,     /*  !"#$%&'()*+,-./ */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,     /* 0123456789:;<=>? */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* @ABCDEFGHIJKLMNO */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1,     /* PQRSTUVWXYZ[\]^_ */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* `abcdefghijklmno */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0      /* pqrstuvwxyz{|}~  */
};


#define sg_header_of(name, what)  { sg_string(name), 0, sg_header_ ## what }


static const sg_headers_t  sg_request_fields = {

    [sg_header_at('a')] = sg_header_list {
        sg_header("Accept-Encoding"),
        sg_header("Authorization"),
        sg_header_end },

    [sg_header_at('c')] = sg_header_list {
        sg_header_of("Content-Type", content_type),
        sg_header_of("Content-Encoding", content_encoding),
        sg_header("Content-Length"),            /* nginx writes its own */
        sg_header_of("Connection", connection),
        sg_header("Cookie"),
        sg_header_end },

    [sg_header_at('i')] = sg_header_list {
        sg_header_of("Idempotency-Key", idempotency_key),
        sg_header_end },

    [sg_header_at('k')] = sg_header_list {
        sg_header_of("Keep-Alive", hop_by_hop),
        sg_header_end },

    [sg_header_at('p')] = sg_header_list {
        { sg_string("Proxy-"), 1, sg_header_hop_by_hop },
        sg_header_end },

    [sg_header_at('t')] = sg_header_list {
        sg_header_of("TE", hop_by_hop),
        sg_header_of("Trailer", hop_by_hop),
        sg_header_of("Transfer-Encoding", hop_by_hop),
        sg_header_end },

    [sg_header_at('u')] = sg_header_list {
        sg_header_of("Upgrade", hop_by_hop),
        sg_header_end },

    [sg_header_at('x')] = sg_header_list {
        sg_header_all("X-HTTP-Method"),         /* -Override too */
        sg_header("X-Method-Override"),
        sg_header_all("X-Original-"),           /* -URL, -URI, -Method, -Path */
        sg_header("X-Rewrite-URL"),
        sg_header("X-Rewrite-URI"),
        sg_header("X-Forwarded-URI"),
        sg_header("X-Forwarded-Method"),
        sg_header("X-Forwarded-Path"),
        sg_header("X-Forwarded-Prefix"),
        sg_header("X-Envoy-Original-Path"),
        sg_header_end }
};


static const sg_headers_t  sg_response_dropped = {

    [sg_header_at('a')] = sg_header_list {
        sg_header("Authorization"),
        sg_header_end },

    [sg_header_at('i')] = sg_header_list {      /* ours to say */
        sg_header("Idempotent-Replayed"),
        sg_header("Idempotency-Status"),
        sg_header_end },

    [sg_header_at('p')] = sg_header_list {
        sg_header("Proxy-Authenticate"),
        sg_header("Proxy-Authorization"),
        sg_header_end },

    [sg_header_at('x')] = sg_header_list {
        sg_header_all("X-Accel-"),
        sg_header_end }
};


static const sg_headers_t  sg_response_stored = {

    [sg_header_at('c')] = sg_header_list {
        sg_header("Cache-Control"),
        sg_header("Content-Language"),
        sg_header("Content-Encoding"),          /* none was asked for */
        sg_header_end },

    [sg_header_at('e')] = sg_header_list {
        sg_header("ETag"),
        sg_header_end },

    [sg_header_at('l')] = sg_header_list {
        sg_header("Last-Modified"),
        sg_header("Link"),
        sg_header("Location"),
        sg_header_end }
};


/* besides those that are hop-by-hop */

static const sg_headers_t  sg_response_fresh = {

    [sg_header_at('a')] = sg_header_list {
        sg_header_all("Access-Control-"),       /* of one origin */
        sg_header("Authorization"),
        sg_header_end },

    [sg_header_at('c')] = sg_header_list {
        sg_header("Content-Encoding"),
        sg_header("Content-Length"),
        sg_header_end },

    [sg_header_at('d')] = sg_header_list {
        sg_header("Date"),
        sg_header_end },

    [sg_header_at('i')] = sg_header_list {
        sg_header("Idempotent-Replayed"),
        sg_header("Idempotency-Status"),
        sg_header_end },

    [sg_header_at('r')] = sg_header_list {
        sg_header_all("RateLimit"),
        sg_header("Retry-After"),
        sg_header_end },

    [sg_header_at('s')] = sg_header_list {
        sg_header("Server"),
        sg_header("Set-Cookie"),
        sg_header_end },

    [sg_header_at('w')] = sg_header_list {
        sg_header("WWW-Authenticate"),
        sg_header_end },

    [sg_header_at('x')] = sg_header_list {
        sg_header_all("X-Accel-"),
        sg_header_end }
};


int
sg_header_is_token(sg_str_t text)
{
    return text.len != 0 && sg_str_span(text, sg_header_token) == text.len;
}


int
sg_header_is(sg_str_t name, sg_str_t other)
{
    return name.len == other.len && sg_header_same(name.data, other);
}


sg_header_e
sg_request_header(sg_str_t name)
{
    const sg_header_t  *header;

    header = sg_header_find(name, sg_request_fields);

    return header ? header->field : sg_header_passes;
}


sg_str_t
sg_request_header_name(sg_str_t name)
{
    const sg_header_t  *header;

    if (name.len == 0 || memchr(name.data, '_', name.len) == NULL) {
        return name;
    }

    header = sg_header_find(name, sg_request_fields);

    return (header && header->field >= sg_header_content_type) ? header->name
           : name;
}


int
sg_response_header_dropped(sg_str_t name)
{
    return sg_header_find(name, sg_response_dropped) != NULL;
}


int
sg_response_header_stored(sg_str_t name)
{
    return sg_header_find(name, sg_response_stored) != NULL;
}


int
sg_response_header_storable(sg_str_t name)
{
    sg_header_e  field;

    field = sg_request_header(name);

    return sg_header_is_token(name)
           && field != sg_header_hop_by_hop
           && field != sg_header_connection
           && sg_header_find(name, sg_response_fresh) == NULL;
}


/* NULL when it is in none of them */

static inline const sg_header_t *
sg_header_find(sg_str_t name, const sg_headers_t headers)
{
    const sg_header_t  *list;

    list = name.len ? headers[sg_header_at(name.data[0])] : NULL;

    return list ? sg_header_in(name, list) : NULL;
}


static const sg_header_t *
sg_header_in(sg_str_t name, const sg_header_t *header)
{
    for ( /* void */ ; header->name.len; header++) {

        if (header->prefix
            ? name.len < header->name.len
            : name.len != header->name.len)
        {
            continue;
        }

        if (sg_header_same(name.data, header->name)) {
            return header;
        }
    }

    return NULL;
}


/* whether a name begins as a known one; mostly both are written alike */

static int
sg_header_same(const unsigned char *name, sg_str_t known)
{
    size_t  i;

    if (known.len == 0 || memcmp(name, known.data, known.len) == 0) {
        return 1;
    }

    for (i = 0; i < known.len; i++) {
        if (sg_header_fold(name[i]) != sg_header_fold(known.data[i])) {
            return 0;
        }
    }

    return 1;
}
