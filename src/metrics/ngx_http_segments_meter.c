
/*
 * What is counted of one guarded location.
 */


#include "metrics/ngx_http_segments_meter.h"
#include "metrics/ngx_http_segments_refusals.h"


/*
 * Milliseconds, and bytes.  The first is the least that nginx' clock can tell
 * from nothing; with the defaults, 200 is the end of Redis' time.
 */

static const unsigned
    ngx_http_segments_all_bounds[][NGX_HTTP_SEGMENTS_BOUNDS] =
{
    { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000 },
    { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 },
    { 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 262144,
      1048576 }
};


ngx_http_segments_meter_t *
ngx_http_segments_meter(ngx_conf_t *cf, ngx_array_t *meters)
{
    ngx_uint_t                   i;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_segments_meter_t  **meter, *m;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        m = meter[i];

        if (m->server.len == cscf->server_name.len
            && m->location.len == clcf->name.len
            && ngx_strncmp(m->server.data, cscf->server_name.data,
                           m->server.len)
               == 0
            && ngx_strncmp(m->location.data, clcf->name.data, m->location.len)
               == 0)
        {
            return m;
        }
    }

    m = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_meter_t));
    meter = ngx_array_push(meters);
    if (m == NULL
        || meter == NULL
        || ngx_array_init(&m->limits, cf->pool, 2,
                          sizeof(ngx_http_segments_limit_meter_t))
           != NGX_OK)
    {
        return NULL;
    }

    m->server = cscf->server_name;
    m->location = clcf->name;

    *meter = m;

    return m;
}


ngx_int_t
ngx_http_segments_init_counts(ngx_slab_pool_t *shpool,
    ngx_http_segments_counts_t **all, ngx_http_segments_meter_t *meter)
{
    u_char                      *p;
    ngx_http_segments_counts_t  *counts;

    for (counts = *all; counts; counts = counts->next) {

        if (counts->server.len == meter->server.len
            && counts->location.len == meter->location.len
            && ngx_memcmp(counts->server.data, meter->server.data,
                          meter->server.len)
               == 0
            && ngx_memcmp(counts->location.data, meter->location.data,
                          meter->location.len)
               == 0)
        {
            meter->counts = counts;
            return ngx_http_segments_init_refusals(shpool, meter);
        }
    }

    counts = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_counts_t)
                                     + meter->server.len + meter->location.len);
    if (counts == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) &counts[1];

    counts->server.data = p;
    counts->server.len = meter->server.len;
    p = ngx_cpymem(p, meter->server.data, meter->server.len);

    counts->location.data = p;
    counts->location.len = meter->location.len;
    ngx_memcpy(p, meter->location.data, meter->location.len);

    counts->next = *all;
    *all = counts;

    meter->counts = counts;

    return ngx_http_segments_init_refusals(shpool, meter);
}


const unsigned *
ngx_http_segments_bounds(ngx_http_segments_measure_e which)
{
    return ngx_http_segments_all_bounds[which];
}


void
ngx_http_segments_measure(ngx_http_segments_counts_t *counts,
    ngx_http_segments_measure_e which, ngx_uint_t value)
{
    ngx_uint_t                      i;
    const unsigned                 *bounds;
    ngx_http_segments_histogram_t  *histogram;

    bounds = ngx_http_segments_all_bounds[which];
    histogram = &counts->measures[which];

    for (i = 0; i < NGX_HTTP_SEGMENTS_BOUNDS; i++) {
        if (value <= bounds[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&histogram->counts[i], 1);
    (void) ngx_atomic_fetch_add(&histogram->sum, value);
}
