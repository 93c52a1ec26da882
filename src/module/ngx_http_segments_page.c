
/*
 * What was counted is shown: the directive segments_metrics.
 */


#include "module/ngx_http_segments_page.h"
#include "contract/sg_exposition.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"
#include "metrics/ngx_http_segments_exposition.h"


char *
ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_segments_main_conf_t  *smcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_segments_metrics_handler;

    /* the zone may stand behind */

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    smcf->shown.cscf = ngx_http_conf_get_module_srv_conf(cf,
                                                        ngx_http_core_module);
    smcf->shown.clcf = clcf;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_segments_metrics_handler(ngx_http_request_t *r)
{
    sg_buf_t                        text;
    ngx_int_t                       rc;
    ngx_str_t                       body;
    ngx_buf_t                      *b;
    ngx_chain_t                     out;
    ngx_http_segments_main_conf_t  *smcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    smcf = ngx_http_get_module_main_conf(r, ngx_http_segments_module);

    sg_buf_init(&text);
    ngx_http_segments_expose(&smcf->metrics, &text);

    b = ngx_calloc_buf(r->pool);

    if (ngx_http_segments_take(r->pool, &body, &text) != NGX_OK || b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = body.data;
    b->last = body.data + body.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    /* the shorter length is that of the type alone, for gzip_types */

    ngx_str_set(&r->headers_out.content_type, SG_EXPOSITION_TYPE);
    r->headers_out.content_type_len = sizeof("text/plain") - 1;
    r->headers_out.content_type_lowcase = NULL;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = body.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}
