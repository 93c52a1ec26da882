
/*
 * A location is guarded: what is configured for it is checked, and put to use.
 */


#include "module/ngx_http_segments_guard.h"
#include "answer/ngx_http_segments_receive.h"
#include "drift/ngx_http_segments_drift.h"
#include "health/ngx_http_segments_needed.h"
#include "module/ngx_http_segments_check.h"
#include "module/ngx_http_segments_zone_directive.h"
#include "request/ngx_http_segments_forward.h"
#include "request/ngx_http_segments_lend.h"


static ngx_int_t ngx_http_segments_watch_answers(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf);


ngx_int_t
ngx_http_segments_guard(ngx_conf_t *cf, ngx_http_segments_loc_conf_t *prev,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_segments_place_t      *place;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    slcf->prefix = clcf->name;
    slcf->plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_proxy_module);

    if (ngx_http_segments_check(cf, slcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (slcf->seal.hiding) {
        slcf->store.names = &slcf->seal.hiding->names;
    }

    if (slcf->store.redis) {
        ngx_redis_set_resolver(slcf->store.redis, clcf->resolver,
                               clcf->resolver_timeout);
        ngx_redis_set_value(slcf->store.redis, slcf->idempotency.max_response);
    }

    if (ngx_http_segments_need_redis(&smcf->needed, slcf) != NGX_OK
        || ngx_http_segments_count_location(cf, smcf, slcf) != NGX_OK
        || (slcf->drift.sample
            && ngx_http_segments_watch_answers(cf, smcf, slcf) != NGX_OK))
    {
        return NGX_ERROR;
    }

    place = ngx_array_push(&smcf->guarded);
    if (place == NULL) {
        return NGX_ERROR;
    }

    place->cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    place->clcf = clcf;

    /* errors leave as Qonversion's envelope, whatever error_page says */

    clcf->error_pages = NULL;

    /* a request that was sent is not cancelled by a client that leaves */

    slcf->plcf->upstream.ignore_client_abort = 1;

    /* an answer is recorded as it came: the upstream steers nothing here */

    slcf->plcf->upstream.ignore_headers |= NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT
                                           |NGX_HTTP_UPSTREAM_IGN_XA_EXPIRES
                                           |NGX_HTTP_UPSTREAM_IGN_XA_LIMIT_RATE
                                           |NGX_HTTP_UPSTREAM_IGN_XA_BUFFERING
                                           |NGX_HTTP_UPSTREAM_IGN_XA_CHARSET;

    ngx_http_segments_receive(slcf->plcf);

    if (ngx_http_segments_lend_init(cf, slcf) != NGX_OK) {
        return NGX_ERROR;
    }

    /* no way to proxy_pass but past us; "if" may run its parent's handler */

    slcf->handler = prev->handler;

    if (clcf->handler) {
        slcf->handler = clcf->handler;
        clcf->handler = ngx_http_segments_forward_handler;
    }

    return NGX_OK;
}


/* all locations of a configuration share its lines in the log */

static ngx_int_t
ngx_http_segments_watch_answers(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf)
{
    if (smcf->drift_lines == NULL) {

        smcf->drift_lines = ngx_http_segments_drift_lines(cf);
        if (smcf->drift_lines == NULL) {
            return NGX_ERROR;
        }

        smcf->metrics.compares = 1;
    }

    slcf->drift.lines = smcf->drift_lines;
    slcf->drift.metrics = &smcf->metrics;

    return NGX_OK;
}
