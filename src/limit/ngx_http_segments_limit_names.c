
/*
 * Which limits have refused, and for how long.
 */


#include "limit/ngx_http_segments_limit_names.h"


ngx_uint_t
ngx_http_segments_limits_reset(ngx_http_segments_limits_t *limits)
{
    ngx_uint_t                   i, reset;
    ngx_http_segments_bucket_t  *bucket;

    reset = 0;
    bucket = limits->bucket;

    for (i = 0; i < limits->n; i++) {
        if (bucket[i].violated) {
            reset = ngx_max(reset, bucket[i].state.reset);
        }
    }

    return reset;
}


void
ngx_http_segments_limits_violated(ngx_http_segments_limits_t *limits,
    sg_buf_t *out)
{
    size_t                       before;
    ngx_uint_t                   i;
    ngx_http_segments_bucket_t  *bucket;

    before = out->len;
    bucket = limits->bucket;

    for (i = 0; i < limits->n; i++) {

        if (bucket[i].violated) {
            sg_buf_add_cstr(out, out->len > before ? ", \"" : "\"");
            sg_buf_add(out, bucket[i].limit->name.data,
                       bucket[i].limit->name.len);
            sg_buf_add_cstr(out, "\"");
        }
    }
}
