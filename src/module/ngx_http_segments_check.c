
/*
 * What cannot work in a guarded location.
 */


#include "module/ngx_http_segments_check.h"
#include "contract/sg_route.h"
#include "health/ngx_http_segments_health.h"
#include "module/ngx_http_segments_content.h"
#include "module/ngx_http_segments_page.h"
#include "module/ngx_http_segments_place.h"
#include "upstream/ngx_http_segments_proxy.h"
#include "upstream/ngx_http_segments_reach.h"


/* milliseconds by which Redis ends a WAIT late: with its next tick, of which
   there are ten a second by default */
#define NGX_HTTP_SEGMENTS_REDIS_TICK  100


static ngx_int_t ngx_http_segments_check_location(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_pages(ngx_conf_t *cf);
static ngx_int_t ngx_http_segments_check_rates(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_secret(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_tenant(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_seal(ngx_conf_t *cf,
    ngx_http_segments_tenant_t *tenant, ngx_http_segments_loc_conf_t *slcf);
static ngx_int_t ngx_http_segments_check_idempotency(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf);


ngx_int_t
ngx_http_segments_check(ngx_conf_t *cf, ngx_http_segments_loc_conf_t *slcf)
{
    ngx_int_t                  rc;
    ngx_http_segments_place_t  place;

    place.cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    place.clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_http_segments_enter_place(cf->log, &place);

    rc = ngx_http_segments_check_location(cf, slcf);

    ngx_http_segments_leave_place(cf->log, &place);

    return rc;
}


static ngx_int_t
ngx_http_segments_check_location(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    if (ngx_http_segments_check_layout(cf) != NGX_OK
        || ngx_http_segments_check_secret(cf, slcf) != NGX_OK
        || ngx_http_segments_check_idempotency(cf, slcf) != NGX_OK
        || ngx_http_segments_check_rates(cf, slcf) != NGX_OK
        || ngx_http_segments_check_proxy(cf, slcf->plcf) != NGX_OK
        || ngx_http_segments_check_pages(cf) != NGX_OK
        || ngx_http_segments_check_content(cf) != NGX_OK
        || ngx_http_segments_check_proxy_headers(cf, slcf->plcf) != NGX_OK
        || ngx_http_segments_check_upstream(cf, slcf->plcf,
                                            slcf->upstream_insecure)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_pages(ngx_conf_t *cf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_segments_metrics_handler) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_metrics\" cannot be used in a guarded location");
    }

    if (clcf->handler == ngx_http_segments_health_handler) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_health\" cannot be used in a guarded location");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_rates(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_segments_main_conf_t  *smcf;

    if (!(slcf->operations & SG_OP(sg_op_create))) {
        return NGX_OK;
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    return ngx_http_segments_check_limits(cf, &slcf->limit, &slcf->store,
                                          &smcf->limits);
}


static ngx_int_t
ngx_http_segments_check_secret(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_segments_main_conf_t  *smcf;

    if (slcf->secret_file.len == 0) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_gateway\" needs \"segments_secret_key_file\": "
                   "a file with the project's Secret Key");
    }

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    slcf->secret = ngx_http_segments_secret(cf, &smcf->secrets,
                                            &slcf->secret_file);

    if (slcf->secret == NULL) {
        return NGX_ERROR;
    }

    slcf->store.environment = slcf->secret->environment;

    return ngx_http_segments_check_tenant(cf, smcf, slcf);
}


/* two projects must not share records: their names carry no project */

static ngx_int_t
ngx_http_segments_check_tenant(ngx_conf_t *cf,
    ngx_http_segments_main_conf_t *smcf, ngx_http_segments_loc_conf_t *slcf)
{
    ngx_uint_t                    i;
    ngx_http_segments_tenant_t   *tenant, **tenantp;

    if (slcf->store.redis == NULL) {
        return NGX_OK;
    }

    tenantp = smcf->tenants.elts;

    for (i = 0; i < smcf->tenants.nelts; i++) {

        tenant = tenantp[i];

        if (!ngx_redis_same(tenant->redis, slcf->store.redis)
            || tenant->secret->environment != slcf->secret->environment
            || tenant->prefix.len != slcf->store.prefix.len
            || ngx_strncmp(tenant->prefix.data, slcf->store.prefix.data,
                           slcf->store.prefix.len)
               != 0)
        {
            continue;
        }

        if (tenant->secret != slcf->secret) {
            return ngx_http_segments_refuse_conf(cf,
                       "key files \"%V\" and \"%V\" are of one environment "
                       "and would share records on one Redis: give each "
                       "its own \"segments_redis_prefix\"",
                       &tenant->secret->path, &slcf->secret->path);
        }

        slcf->tenant = tenant;
        slcf->idempotency.room = &tenant->room;

        return ngx_http_segments_check_seal(cf, tenant, slcf);
    }

    tenant = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_tenant_t));
    tenantp = ngx_array_push(&smcf->tenants);
    if (tenant == NULL || tenantp == NULL) {
        return NGX_ERROR;
    }

    *tenantp = tenant;
    slcf->tenant = tenant;
    slcf->idempotency.room = &tenant->room;

    tenant->redis = slcf->store.redis;
    tenant->prefix = slcf->store.prefix;
    tenant->secret = slcf->secret;

    return ngx_http_segments_check_seal(cf, tenant, slcf);
}


/* a record may be asked for in any of its locations */

static ngx_int_t
ngx_http_segments_check_seal(ngx_conf_t *cf,
    ngx_http_segments_tenant_t *tenant, ngx_http_segments_loc_conf_t *slcf)
{
    if (slcf->idempotency.mode == NGX_HTTP_SEGMENTS_OFF
        || !(slcf->operations & SG_OP(sg_op_create)))
    {
        return NGX_OK;
    }

    if (tenant->seal == NULL) {
        tenant->seal = &slcf->seal;
        return NGX_OK;
    }

    if (!ngx_http_segments_same_seal(tenant->seal, &slcf->seal)) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_encryption\" has other keys than in "
                   "another location that shares its records on one Redis");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_check_idempotency(ngx_conf_t *cf,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (slcf->idempotency.mode == NGX_HTTP_SEGMENTS_OFF
        || !(slcf->operations & SG_OP(sg_op_create)))
    {
        return NGX_OK;
    }

    if (slcf->store.redis == NULL) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency\" needs \"segments_redis\": "
                   "name a Redis, or turn idempotency off");
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (slcf->store.options.timeout >= clcf->send_timeout) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_redis_timeout\" must be below "
                   "\"send_timeout\": an answer is held for Redis so long");
    }

    /* the last quarter is for the claim itself, and for the way */

    if (slcf->store.options.replicas
        && slcf->store.options.wait_timeout + NGX_HTTP_SEGMENTS_REDIS_TICK
           > slcf->store.options.timeout
             - (slcf->store.options.timeout + 3) / 4)
    {
        return ngx_http_segments_refuse_conf(cf,
                   "the timeout of \"segments_redis_wait\" and 100ms, by "
                   "which Redis may end it late, must be at most three "
                   "quarters of \"segments_redis_timeout\"");
    }

    if (slcf->idempotency.lease / 3 < slcf->store.options.timeout) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_lease\" is too short to be "
                   "renewed: make it at least three times "
                   "\"segments_redis_timeout\"");
    }

    if (slcf->idempotency.lease > slcf->idempotency.ttl) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_lease\" must not be longer than "
                   "\"segments_idempotency_ttl\"");
    }

    if (slcf->idempotency.upstream_key == NGX_HTTP_SEGMENTS_KEY_OFF
        && slcf->idempotency.unknown != NGX_HTTP_SEGMENTS_HOLD)
    {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_idempotency_upstream_key off\" needs "
                   "\"segments_idempotency_unknown hold\": without a key "
                   "upstream, a retry would create a second segment");
    }

    return NGX_OK;
}
