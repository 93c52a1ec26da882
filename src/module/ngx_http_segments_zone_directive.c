
/*
 * The directive segments_zone, and what is counted with it.
 */


#include "module/ngx_http_segments_zone_directive.h"
#include "metrics/ngx_http_segments_refusals.h"


char *
ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_main_conf_t *smcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (smcf->metrics.zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (size < (ssize_t) (2 * sizeof(ngx_http_segments_zone_t))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small: it needs %uzk at least",
                           &value[1],
                           2 * sizeof(ngx_http_segments_zone_t) / 1024 + 1);
        return NGX_CONF_ERROR;
    }

    smcf->metrics.zone = ngx_shared_memory_add(cf, &value[1], size,
                                               &ngx_http_segments_module);
    if (smcf->metrics.zone == NULL) {
        return NGX_CONF_ERROR;
    }

    smcf->metrics.zone->init = ngx_http_segments_init_zone;
    smcf->metrics.zone->data = &smcf->metrics;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_segments_count_location(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf)
{
    ngx_uint_t                  i;
    ngx_http_segments_limit_t  *limit;

    if (smcf->metrics.zone == NULL) {
        return NGX_OK;
    }

    slcf->meter = ngx_http_segments_meter(cf, &smcf->metrics.meters);
    if (slcf->meter == NULL) {
        return NGX_ERROR;
    }

    if (slcf->limit.limits == NULL) {
        return NGX_OK;
    }

    limit = slcf->limit.limits->elts;

    for (i = 0; i < slcf->limit.limits->nelts; i++) {
        if (ngx_http_segments_meter_limit(slcf->meter, &limit[i].name)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
