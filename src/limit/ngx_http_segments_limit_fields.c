
/*
 * What a client hears of its limits.
 *
 * An upstream may have limits of its own and say so.  Its members stay as they
 * are, and where one is called as ours is, ours gets a number.
 */


#include "limit/ngx_http_segments_limit_fields.h"
#include "contract/sg_headers.h"
#include "contract/sg_ratelimit.h"
#include "message/ngx_http_segments_field.h"
#include "message/ngx_http_segments_text.h"


static unsigned ngx_http_segments_limit_number(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits, sg_str_t name);
static ngx_uint_t ngx_http_segments_limit_ours(
    ngx_http_segments_limits_t *limits, sg_str_t name);
static ngx_uint_t ngx_http_segments_limit_taken(ngx_http_request_t *r,
    sg_str_t name);
static ngx_int_t ngx_http_segments_add_list(ngx_http_request_t *r,
    ngx_str_t *name, sg_buf_t *list);


static ngx_str_t  ngx_http_segments_policy = ngx_string("RateLimit-Policy");
static ngx_str_t  ngx_http_segments_left = ngx_string("RateLimit");


ngx_int_t
ngx_http_segments_add_limits(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits)
{
    u_char                       policies[256], rooms[256];
    unsigned                     number;
    sg_buf_t                     policy, left;
    sg_str_t                     name;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_segments_limit_t   *limit;
    ngx_http_segments_bucket_t  *bucket;

    sg_buf_init_room(&policy, policies, sizeof(policies));
    sg_buf_init_room(&left, rooms, sizeof(rooms));

    for (i = 0; i < limits->n; i++) {

        bucket = &limits->bucket[i];
        limit = bucket->limit;

        if (!bucket->known) {
            continue;
        }

        name = ngx_http_segments_text(&limit->name);
        number = ngx_http_segments_limit_number(r, limits, name);

        sg_ratelimit_policy(&policy, name, number, limit->rate.quota,
                            sg_limit_window(&limit->rate));
        sg_ratelimit_left(&left, name, number, bucket->state.left,
                          bucket->state.reset);
    }

    rc = ngx_http_segments_add_list(r, &ngx_http_segments_policy, &policy);

    if (ngx_http_segments_add_list(r, &ngx_http_segments_left, &left)
        != NGX_OK)
    {
        rc = NGX_ERROR;
    }

    return rc;
}


/* 0, or what is to follow a name that the upstream has given to its own */

static unsigned
ngx_http_segments_limit_number(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits, sg_str_t name)
{
    u_char    numbered[SG_LIMIT_NAME_MAX + 1 + NGX_INT_T_LEN];
    unsigned  number;
    sg_str_t  text;

    text = name;
    number = 0;

    while (ngx_http_segments_limit_taken(r, text)
           || (number && ngx_http_segments_limit_ours(limits, text)))
    {
        number = number ? number + 1 : 2;

        text.data = numbered;
        text.len = ngx_sprintf(numbered, "%*s-%ui", name.len, name.data,
                               (ngx_uint_t) number)
                   - numbered;
    }

    return number;
}


static ngx_uint_t
ngx_http_segments_limit_ours(ngx_http_segments_limits_t *limits,
    sg_str_t name)
{
    sg_str_t                     ours;
    ngx_uint_t                   i;
    ngx_http_segments_bucket_t  *bucket;

    bucket = limits->bucket;

    for (i = 0; i < limits->n; i++) {
        ours = ngx_http_segments_text(&bucket[i].limit->name);

        if (sg_str_eq(ours, name)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_segments_limit_taken(ngx_http_request_t *r, sg_str_t name)
{
    sg_str_t          value, field;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const sg_str_t  policy = sg_string("RateLimit-Policy");
    static const sg_str_t  left = sg_string("RateLimit");

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            field = ngx_http_segments_text(&h[i].key);
            value = ngx_http_segments_text(&h[i].value);

            if (h[i].hash
                && (sg_header_is(field, policy) || sg_header_is(field, left))
                && sg_ratelimit_has(value, name))
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_segments_add_list(ngx_http_request_t *r, ngx_str_t *name,
    sg_buf_t *list)
{
    ngx_str_t  value;

    if (list->len == 0 && !list->failed) {
        return NGX_OK;
    }

    if (ngx_http_segments_take(r->pool, &value, list) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_segments_add_header(r, name, &value) ? NGX_OK : NGX_ERROR;
}
