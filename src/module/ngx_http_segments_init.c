
/*
 * What is done when a configuration is read, and when a process begins and
 * ends.
 */


#include "module/ngx_http_segments_init.h"
#include "answer/ngx_http_segments_filter.h"
#include "contract/sg_seal.h"
#include "contract/sg_sha256.h"
#include "health/ngx_http_segments_rounds.h"
#include "idempotency/ngx_http_segments_room.h"
#include "module/ngx_http_segments_content.h"
#include "module/ngx_http_segments_log.h"
#include "module/ngx_http_segments_order.h"
#include "module/ngx_http_segments_place.h"
#include "module/ngx_http_segments_variables.h"
#include "record/ngx_redis_scripts.h"
#include "request/ngx_http_segments_peers.h"
#include "request/ngx_http_segments_request.h"
#include "secret/ngx_http_segments_rotation.h"
#include "worker/ngx_segments_block.h"


static ngx_http_segments_main_conf_t *ngx_http_segments_old_conf(
    ngx_cycle_t *cycle);
static ngx_int_t ngx_http_segments_init_metrics(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf);
static ngx_int_t ngx_http_segments_init_contract(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf);


ngx_int_t
ngx_http_segments_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt            *h;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_segments_main_conf_t  *smcf, *old;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    if (ngx_redis_check(cf, &smcf->nodes) != NGX_OK
        || ngx_http_segments_init_metrics(cf, smcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (smcf->guarded.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_segments_check_handlers(cf) != NGX_OK
        || ngx_http_segments_init_contract(cf, smcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    old = ngx_http_segments_old_conf(cf->cycle->old_cycle);

    if (old) {
        ngx_http_segments_inherit_keys(cf, &smcf->secrets, &old->secrets);
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_segments_handler;

    ngx_redis_record_scripts();

    if (ngx_http_segments_client_variables(cf) != NGX_OK
        || ngx_http_segments_judge_peers(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_segments_check_order(cf);

    return ngx_http_segments_filter_init(cf);
}


/* NULL where it was another module of this name, or none */

static ngx_http_segments_main_conf_t *
ngx_http_segments_old_conf(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    if (cycle == NULL || ngx_is_init_cycle(cycle)) {
        return NULL;
    }

    for (i = 0; cycle->modules[i]; i++) {
        if (cycle->modules[i] == &ngx_http_segments_module) {
            return ngx_http_cycle_get_module_main_conf(cycle,
                                                     ngx_http_segments_module);
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_segments_init_metrics(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (smcf->shown.cscf && smcf->metrics.zone == NULL) {
        ngx_http_segments_enter_place(cf->log, &smcf->shown);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"segments_metrics\" needs \"segments_zone\" at "
                           "the http level");
        ngx_http_segments_leave_place(cf->log, &smcf->shown);
        return NGX_ERROR;
    }

    if (smcf->metrics.zone == NULL) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_segments_count;

    return ngx_http_segments_zone_init(&smcf->metrics, &smcf->nodes);
}


/* the handlers of a phase run in the order of their array */

static ngx_int_t
ngx_http_segments_init_contract(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf)
{
    ngx_uint_t                  i;
    ngx_array_t                *handlers;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (smcf->drift_lines == NULL) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    handlers = &cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;

    if (ngx_array_push(handlers) == NULL) {
        return NGX_ERROR;
    }

    h = handlers->elts;

    for (i = handlers->nelts - 1; i; i--) {
        h[i] = h[i - 1];
    }

    h[0] = ngx_http_segments_compare_answer;

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_init_module(ngx_cycle_t *cycle)
{
    ngx_log_t                      *log;
    ngx_uint_t                      debug, i;
    ngx_http_segments_place_t      *place;
    ngx_http_segments_main_conf_t  *smcf;
#if (NGX_DEBUG)
    ngx_event_conf_t               *ecf;
#endif

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_segments_module);

    if (smcf == NULL || smcf->guarded.nelts == 0) {
        return NGX_OK;
    }

    /* only now all logs are open, wherever in the file they stand */

    debug = 0;
    place = smcf->guarded.elts;

    for (i = 0; i < smcf->guarded.nelts; i++) {
        for (log = place[i].clcf->error_log; log; log = log->next) {
            debug |= log->log_level & NGX_LOG_DEBUG_HTTP;
        }
    }

#if (NGX_DEBUG)
    ecf = ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module);
    debug |= (ecf->debug_connection.nelts != 0);
#endif

    if (debug) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "error_log at debug level: nginx writes every proxied "
                      "header to it, the Secret Key of guarded locations "
                      "included");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_init_process(ngx_cycle_t *cycle)
{
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_segments_module);

    if (smcf == NULL) {
        return NGX_OK;
    }

    ngx_http_segments_zone_begin(&smcf->metrics);

    if (ngx_http_segments_publish_init(cycle, &smcf->metrics) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE)
    {
        ngx_redis_init(&smcf->nodes, cycle->log);

        if (ngx_http_segments_rounds_init(cycle, smcf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_segments_rotation_init(cycle, &smcf->secrets) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_segments_sealing_init(cycle, &smcf->seal_files);
}


void
ngx_http_segments_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                      i;
    ngx_http_segments_tenant_t    **tenant;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_segments_module);

    if (smcf) {
        tenant = smcf->tenants.elts;

        for (i = 0; i < smcf->tenants.nelts; i++) {
            ngx_http_segments_wait_exit(&tenant[i]->room);
        }

        ngx_redis_close(&smcf->nodes);
        ngx_http_segments_zone_end();
    }

    ngx_segments_block_end();

    sg_seal_free();
    sg_sha256_free();
}
