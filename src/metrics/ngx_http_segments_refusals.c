
/*
 * What is counted of the limits of a guarded location: by their names, of which
 * there are as many as the configuration says.
 */


#include "metrics/ngx_http_segments_refusals.h"


static ngx_http_segments_refusals_t *ngx_http_segments_need_refusals(
    ngx_slab_pool_t *shpool, ngx_http_segments_counts_t *counts,
    ngx_str_t *name);
static ngx_uint_t ngx_http_segments_same_name(ngx_str_t *one,
    ngx_str_t *other);


ngx_int_t
ngx_http_segments_meter_limit(ngx_http_segments_meter_t *meter,
    ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_http_segments_limit_meter_t  *limit;

    limit = meter->limits.elts;

    for (i = 0; i < meter->limits.nelts; i++) {
        if (ngx_http_segments_same_name(&limit[i].name, name)) {
            return NGX_OK;
        }
    }

    limit = ngx_array_push(&meter->limits);
    if (limit == NULL) {
        return NGX_ERROR;
    }

    limit->name = *name;
    limit->refusals = NULL;

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_init_refusals(ngx_slab_pool_t *shpool,
    ngx_http_segments_meter_t *meter)
{
    ngx_uint_t                        i;
    ngx_http_segments_limit_meter_t  *limit;

    limit = meter->limits.elts;

    for (i = 0; i < meter->limits.nelts; i++) {

        limit[i].refusals = ngx_http_segments_need_refusals(shpool,
                                                            meter->counts,
                                                            &limit[i].name);
        if (limit[i].refusals == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_segments_refusals_t *
ngx_http_segments_need_refusals(ngx_slab_pool_t *shpool,
    ngx_http_segments_counts_t *counts, ngx_str_t *name)
{
    ngx_http_segments_refusals_t  *refusals;

    for (refusals = counts->refusals; refusals; refusals = refusals->next) {
        if (ngx_http_segments_same_name(&refusals->limit, name)) {
            return refusals;
        }
    }

    refusals = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_refusals_t)
                                       + name->len);
    if (refusals == NULL) {
        return NULL;
    }

    refusals->limit.data = (u_char *) &refusals[1];
    refusals->limit.len = name->len;
    ngx_memcpy(refusals->limit.data, name->data, name->len);

    refusals->next = counts->refusals;
    counts->refusals = refusals;

    return refusals;
}


void
ngx_http_segments_count_refusal(ngx_http_segments_meter_t *meter,
    ngx_str_t *name, ngx_uint_t dry_run)
{
    ngx_uint_t                        i;
    ngx_http_segments_limit_meter_t  *limit;

    limit = meter->limits.elts;

    for (i = 0; i < meter->limits.nelts; i++) {

        if (ngx_http_segments_same_name(&limit[i].name, name)) {
            (void) ngx_atomic_fetch_add(dry_run ? &limit[i].refusals->dry_run
                                                : &limit[i].refusals->refused,
                                        1);
            return;
        }
    }
}


static ngx_uint_t
ngx_http_segments_same_name(ngx_str_t *one, ngx_str_t *other)
{
    return one->len == other->len
           && ngx_memcmp(one->data, other->data, one->len) == 0;
}
