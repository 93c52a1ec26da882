
/*
 * The pages of the module's own: segments_metrics shows what was counted,
 * segments_health whether Redis can be used.
 */


#include "module/ngx_http_segments_page.h"
#include "contract/sg_exposition.h"
#include "health/ngx_http_segments_health.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"
#include "message/ngx_http_segments_whole.h"
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
    ngx_http_segments_main_conf_t  *smcf;

    rc = ngx_http_segments_only_read(r);

    if (rc != NGX_OK) {
        return rc;
    }

    smcf = ngx_http_get_module_main_conf(r, ngx_http_segments_module);

    sg_buf_init(&text);
    ngx_http_segments_expose(&smcf->metrics, &text);

    if (ngx_http_segments_take(r->pool, &body, &text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the shorter length is that of the type alone, for gzip_types */

    ngx_str_set(&r->headers_out.content_type, SG_EXPOSITION_TYPE);
    r->headers_out.content_type_len = sizeof("text/plain") - 1;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_segments_send_whole(r, NGX_HTTP_OK, &body);
}


char *
ngx_http_segments_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_segments_health_handler;

    return NGX_CONF_OK;
}
