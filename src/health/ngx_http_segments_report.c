
/*
 * What is said of a worker's health, in JSON.
 */


#include "health/ngx_http_segments_report.h"
#include "contract/sg_json.h"
#include "message/ngx_http_segments_field.h"
#include "message/ngx_http_segments_text.h"
#include "message/ngx_http_segments_whole.h"


static void ngx_http_segments_report_usable(sg_buf_t *out, const char *name,
    const ngx_str_t *value, ngx_uint_t usable);


ngx_http_segments_health_e
ngx_http_segments_report_redis(sg_buf_t *out,
    const ngx_http_segments_needed_t *need,
    const ngx_redis_finding_t *findings)
{
    ngx_uint_t                  usable, listed;
    const ngx_redis_finding_t  *f;

    usable = (findings != NULL);

    for (f = findings; f; f = f->next) {
        usable &= f->usable;
    }

    ngx_http_segments_report_usable(out, "url", ngx_redis_name(need->redis),
                                    usable);

    sg_buf_add_cstr(out, ",\"nodes\":[");

    listed = 0;

    for (f = findings; f; f = f->next) {

        if (f->node.len == 0) {
            continue;                   /* that there is none was counted */
        }

        sg_buf_add_cstr(out, listed ? "," : "");
        ngx_http_segments_report_usable(out, "node", &f->node, f->usable);
        sg_buf_add_cstr(out, "}");

        listed = 1;
    }

    sg_buf_add_cstr(out, "]}");

    if (usable) {
        return ngx_http_segments_health_ok;
    }

    return need->reject ? ngx_http_segments_health_unusable
                        : ngx_http_segments_health_degraded;
}


/* the object is left open */

static void
ngx_http_segments_report_usable(sg_buf_t *out, const char *name,
    const ngx_str_t *value, ngx_uint_t usable)
{
    sg_buf_add_cstr(out, "{\"");
    sg_buf_add_cstr(out, name);
    sg_buf_add_cstr(out, "\":");
    sg_json_string(out, ngx_http_segments_text(value));
    sg_buf_add_cstr(out, usable ? ",\"usable\":true" : ",\"usable\":false");
}


ngx_int_t
ngx_http_segments_report(ngx_http_request_t *r,
    ngx_http_segments_health_e health, sg_str_t redis)
{
    sg_buf_t   text;
    ngx_str_t  body;

    static const char  *words[] = { "ok", "degraded", "unusable" };
    static ngx_str_t    name = ngx_string("Cache-Control");
    static ngx_str_t    value = ngx_string("no-store");

    sg_buf_init(&text);
    sg_buf_add_cstr(&text, "{\"status\":\"");
    sg_buf_add_cstr(&text, words[health]);
    sg_buf_add_cstr(&text, "\",\"redis\":[");
    sg_buf_add_str(&text, redis);
    sg_buf_add_cstr(&text, "]}\n");

    if (ngx_http_segments_take(r->pool, &body, &text) != NGX_OK
        || ngx_http_segments_add_header(r, &name, &value) == NULL)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_segments_send_whole(r,
                             (health == ngx_http_segments_health_unusable)
                             ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_HTTP_OK,
                             &body);
}
