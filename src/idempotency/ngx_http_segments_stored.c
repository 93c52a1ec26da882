
/*
 * The header fields of an answer: what is stored of them, and how a replay
 * has them again, for the filters behind as the first answer had them.
 */


#include "idempotency/ngx_http_segments_stored.h"
#include "contract/sg_headers.h"
#include "contract/sg_record.h"
#include "message/ngx_http_segments_field.h"
#include "message/ngx_http_segments_text.h"


/* what nginx keeps a pointer to besides the list; Location is not among them:
   it would be made absolute */
typedef struct {
    sg_str_t                       name;
    size_t                         offset;  /* in ngx_http_headers_out_t */
    ngx_uint_t                     several; /* unsigned  several:1; */
} ngx_http_segments_known_header_t;


static void ngx_http_segments_record_content_type(ngx_http_request_t *r,
    sg_buf_t *headers);
static ngx_uint_t ngx_http_segments_stored(ngx_array_t *also, sg_str_t name);
static void ngx_http_segments_restore_content_type(ngx_http_request_t *r,
    ngx_str_t *type);
static ngx_int_t ngx_http_segments_restore_known(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_segments_restore_several(ngx_http_request_t *r,
    ngx_table_elt_t *h, void *known);


static const ngx_http_segments_known_header_t
    ngx_http_segments_known_headers[] =
{
    { sg_string("accept-ranges"),
      offsetof(ngx_http_headers_out_t, accept_ranges), 0 },

    { sg_string("cache-control"),
      offsetof(ngx_http_headers_out_t, cache_control), 1 },

    { sg_string("content-encoding"),
      offsetof(ngx_http_headers_out_t, content_encoding), 0 },

    { sg_string("etag"),
      offsetof(ngx_http_headers_out_t, etag), 0 },

    { sg_string("expires"),
      offsetof(ngx_http_headers_out_t, expires), 0 },

    { sg_string("last-modified"),
      offsetof(ngx_http_headers_out_t, last_modified), 0 },

    { sg_string("link"),
      offsetof(ngx_http_headers_out_t, link), 1 },

    { { NULL, 0 }, 0, 0 }
};


void
ngx_http_segments_record_headers(ngx_http_request_t *r, ngx_array_t *also,
    sg_buf_t *headers)
{
    sg_str_t          name, value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_http_segments_record_content_type(r, headers);

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            name = ngx_http_segments_text(&h[i].key);
            value = ngx_http_segments_text(&h[i].value);

            if (h[i].hash && ngx_http_segments_stored(also, name)) {
                sg_record_header_add(headers, name, value);
            }
        }
    }
}


/* as nginx' header filter would write it */

static void
ngx_http_segments_record_content_type(ngx_http_request_t *r, sg_buf_t *headers)
{
    u_char     *p;
    sg_str_t    value;
    ngx_str_t  *type, *charset;

    static const sg_str_t  name = sg_string("Content-Type");

    type = &r->headers_out.content_type;
    charset = &r->headers_out.charset;

    if (type->len == 0) {
        return;
    }

    value = ngx_http_segments_text(type);

    if (charset->len && r->headers_out.content_type_len == type->len) {

        p = ngx_pnalloc(r->pool,
                        type->len + sizeof("; charset=") - 1 + charset->len);
        if (p == NULL) {
            headers->failed = 1;
            return;
        }

        value.data = p;
        value.len = ngx_sprintf(p, "%V; charset=%V", type, charset) - p;
    }

    sg_record_header_add(headers, name, value);
}


static ngx_uint_t
ngx_http_segments_stored(ngx_array_t *also, sg_str_t name)
{
    sg_str_t    configured;
    ngx_str_t  *header;
    ngx_uint_t  i;

    if (sg_response_header_stored(name)) {
        return 1;
    }

    if (also == NULL) {
        return 0;
    }

    header = also->elts;

    for (i = 0; i < also->nelts; i++) {

        configured = ngx_http_segments_text(&header[i]);

        if (sg_header_is(name, configured)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_segments_restore_headers(ngx_http_request_t *r, ngx_str_t *headers)
{
    int               rc;
    sg_str_t          rest, name, value;
    ngx_str_t         key, text;
    ngx_table_elt_t  *h;

    static const sg_str_t  content_type = sg_string("Content-Type");

    rest = ngx_http_segments_text(headers);

    while ((rc = sg_record_header_next(&rest, &name, &value)) == 1) {

        key.data = (u_char *) name.data;
        key.len = name.len;
        text.data = (u_char *) value.data;
        text.len = value.len;

        /* as nginx knows it, which made the first answer */

        if (sg_str_caseeq(name, content_type)) {
            ngx_http_segments_restore_content_type(r, &text);
            continue;
        }

        h = ngx_http_segments_add_header(r, &key, &text);

        if (h == NULL || ngx_http_segments_restore_known(r, h) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


/* a charset is told from the type, other parameters are not: as proxy_pass */

static void
ngx_http_segments_restore_content_type(ngx_http_request_t *r, ngx_str_t *type)
{
    u_char  *p, *end, *last;

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    p = type->data;
    last = type->data + type->len;

    while ((p = ngx_strlchr(p, last, ';')) != NULL) {

        end = p;

        do { p++; } while (p < last && *p == ' ');

        if ((size_t) (last - p) < sizeof("charset=") - 1
            || ngx_strncasecmp(p, (u_char *) "charset=",
                               sizeof("charset=") - 1)
               != 0)
        {
            continue;
        }

        p += sizeof("charset=") - 1;

        if (p < last && *p == '"') {
            p++;
        }

        if (p < last && *(last - 1) == '"') {
            last--;
        }

        r->headers_out.content_type_len = end - type->data;
        r->headers_out.charset.data = p;
        r->headers_out.charset.len = last - p;

        return;
    }
}


static ngx_int_t
ngx_http_segments_restore_known(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    void                                    *known;
    sg_str_t                                 name;
    const ngx_http_segments_known_header_t  *header;

    name = ngx_http_segments_text(&h->key);

    for (header = ngx_http_segments_known_headers;
         header->name.len;
         header++)
    {
        if (!sg_str_caseeq(name, header->name)) {
            continue;
        }

        known = (u_char *) &r->headers_out + header->offset;

        if (header->several) {
            return ngx_http_segments_restore_several(r, h, known);
        }

        *(ngx_table_elt_t **) known = h;

        return NGX_OK;
    }

    return NGX_OK;
}


#if (nginx_version >= 1023000)

static ngx_int_t
ngx_http_segments_restore_several(ngx_http_request_t *r, ngx_table_elt_t *h,
    void *known)
{
    ngx_table_elt_t  **last = known;

    while (*last) {
        last = &(*last)->next;
    }

    *last = h;

    return NGX_OK;
}

#else

static ngx_int_t
ngx_http_segments_restore_several(ngx_http_request_t *r, ngx_table_elt_t *h,
    void *known)
{
    ngx_array_t *several = known;

    ngx_table_elt_t  **last;

    if (several->elts == NULL
        && ngx_array_init(several, r->pool, 2, sizeof(ngx_table_elt_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    last = ngx_array_push(several);
    if (last == NULL) {
        return NGX_ERROR;
    }

    *last = h;

    return NGX_OK;
}

#endif
