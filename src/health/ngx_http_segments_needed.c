
/*
 * Which Redis creates need.
 */


#include "health/ngx_http_segments_needed.h"
#include "contract/sg_route.h"


static ngx_http_segments_needed_t *ngx_http_segments_find_needed(
    ngx_array_t *needed, ngx_redis_t *redis);


ngx_int_t
ngx_http_segments_need_redis(ngx_array_t *needed,
    ngx_http_segments_loc_conf_t *slcf)
{
    ngx_redis_options_t         *options;
    ngx_http_segments_needed_t  *need;

    if (slcf->store.redis == NULL
        || !(slcf->operations & SG_OP(sg_op_create))
        || (slcf->idempotency.mode == NGX_HTTP_SEGMENTS_OFF
            && (slcf->limit.limits == NULL || slcf->limit.limits->nelts == 0)))
    {
        return NGX_OK;
    }

    need = ngx_http_segments_find_needed(needed, slcf->store.redis);
    if (need == NULL) {
        return NGX_ERROR;
    }

    options = &slcf->store.options;

    need->options.connect_timeout = ngx_max(need->options.connect_timeout,
                                            options->connect_timeout);
    need->options.timeout = ngx_max(need->options.timeout, options->timeout);

    need->reject |= (slcf->redis_failure == NGX_HTTP_SEGMENTS_REJECT);

    return NGX_OK;
}


static ngx_http_segments_needed_t *
ngx_http_segments_find_needed(ngx_array_t *needed, ngx_redis_t *redis)
{
    ngx_uint_t                   i;
    ngx_http_segments_needed_t  *need;

    need = needed->elts;

    for (i = 0; i < needed->nelts; i++) {
        if (need[i].redis == redis) {
            return &need[i];
        }
    }

    need = ngx_array_push(needed);
    if (need == NULL) {
        return NULL;
    }

    ngx_memzero(need, sizeof(ngx_http_segments_needed_t));

    need->redis = redis;

    return need;
}
