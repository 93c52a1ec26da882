
/*
 * Counters live in shared memory, one set for each guarded location; a request
 * is counted when it is logged, which happens to each exactly once.  A reload
 * goes on with the same sets, also those of the old workers.
 *
 * What is so at the moment is said by each worker in a slot of its own, which
 * nobody else writes to: one that was killed takes nothing along but its slot.
 */


#include "ngx_http_segments_metrics.h"
#include "contract/sg_exposition.h"


#define NGX_HTTP_SEGMENTS_OUTCOMES  (ngx_http_segments_failed + 1)
#define NGX_HTTP_SEGMENTS_CLASSES   4       /* 2xx to 5xx */
#define NGX_HTTP_SEGMENTS_BOUNDS    12


/* all in this file that is marked "shared" is in the zone */

typedef struct {
    ngx_atomic_t                    counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_atomic_t                    sum;        /* milliseconds */
} ngx_http_segments_times_t;


/* shared; never freed: an old worker may count in it */
struct ngx_http_segments_counts_s {
    ngx_http_segments_counts_t     *next;
    ngx_str_t                       server;
    ngx_str_t                       location;
    ngx_atomic_t                    outcomes[NGX_HTTP_SEGMENTS_OUTCOMES];
    ngx_atomic_t                    responses[NGX_HTTP_SEGMENTS_CLASSES];
    ngx_http_segments_times_t       redis;
    ngx_http_segments_times_t       upstream;
};


/* shared; of the process that has this place among the master's */
typedef struct {
    ngx_atomic_t                    pid;        /* 0: nobody's */
    ngx_atomic_t                    gauges[NGX_HTTP_SEGMENTS_GAUGES];
} ngx_http_segments_slot_t;


/* shared */
typedef struct {
    ngx_http_segments_counts_t     *counts;
    ngx_http_segments_slot_t        slots[NGX_MAX_PROCESSES];
} ngx_http_segments_zone_t;


typedef struct {
    const char                     *name;
    const char                     *help;
    unsigned                        most:1;     /* of the workers' values the
                                                   largest, not the sum */
} ngx_http_segments_gauge_t;


static ngx_int_t ngx_http_segments_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_http_segments_init_counts(ngx_slab_pool_t *shpool,
    ngx_http_segments_meter_t *meter);
static ngx_http_segments_zone_t *ngx_http_segments_shared(
    ngx_http_segments_main_conf_t *smcf);
static ngx_int_t ngx_http_segments_count(ngx_http_request_t *r);
static ngx_msec_t ngx_http_segments_redis_time(ngx_http_segments_ctx_t *ctx);
static ngx_int_t ngx_http_segments_upstream_time(ngx_http_request_t *r,
    ngx_msec_t *time);
static void ngx_http_segments_count_time(ngx_http_segments_times_t *times,
    const unsigned *bounds, ngx_msec_t time);
static void ngx_http_segments_expose(ngx_http_segments_main_conf_t *smcf,
    sg_buf_t *buf);
static void ngx_http_segments_expose_requests(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_responses(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_times(ngx_array_t *meters, sg_buf_t *buf,
    const char *name, size_t offset, const unsigned *bounds);
static void ngx_http_segments_labels(ngx_http_segments_meter_t *meter,
    sg_label_t *labels);
static void ngx_http_segments_label(sg_label_t *label, const char *name,
    const char *value);
static ngx_uint_t ngx_http_segments_gauge(ngx_http_segments_zone_t *shared,
    ngx_uint_t gauge);
static ngx_uint_t ngx_http_segments_alive(ngx_http_segments_slot_t *slot);


/* milliseconds; the first is what nginx' clock can tell from nothing */

static const unsigned  ngx_http_segments_redis_bounds[] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000
};

static const unsigned  ngx_http_segments_upstream_bounds[] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000
};


static const char  *ngx_http_segments_classes[] = {
    "2xx", "3xx", "4xx", "5xx"
};


/* in the order of ngx_http_segments_gauge_e */

static const ngx_http_segments_gauge_t  ngx_http_segments_gauges[] = {

    { "segments_waiting_requests",
      "Duplicates that wait for the answer to the first request.", 0 },

    { "segments_background_completions",
      "Ended requests whose end Redis has not taken yet.", 0 },

    { "segments_secret_key_files_refused",
      "Key files that changed and cannot be used, the key before stays.", 1 }
};


/* this worker's; NULL without a zone */
static ngx_http_segments_slot_t  *ngx_http_segments_slot;


char *
ngx_http_segments_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_segments_main_conf_t *smcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (smcf->zone) {
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

    smcf->zone = ngx_shared_memory_add(cf, &value[1], size,
                                       &ngx_http_segments_module);
    if (smcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    smcf->zone->init = ngx_http_segments_init_zone;
    smcf->zone->data = smcf;

    return NGX_CONF_OK;
}


char *
ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_segments_main_conf_t  *smcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_segments_metrics_handler;

    /* the zone may stand behind */

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);
    smcf->metrics = 1;

    return NGX_CONF_OK;
}


ngx_http_segments_meter_t *
ngx_http_segments_meter(ngx_conf_t *cf, ngx_http_segments_main_conf_t *smcf)
{
    ngx_uint_t                   i;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_segments_meter_t  **meter, *m;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    meter = smcf->meters.elts;

    for (i = 0; i < smcf->meters.nelts; i++) {

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
    meter = ngx_array_push(&smcf->meters);
    if (m == NULL || meter == NULL) {
        return NULL;
    }

    m->server = cscf->server_name;
    m->location = clcf->name;

    *meter = m;

    return m;
}


ngx_int_t
ngx_http_segments_metrics_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt            *h;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    if (smcf->metrics && smcf->zone == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"segments_metrics\" needs \"segments_zone\" at "
                           "the http level");
        return NGX_ERROR;
    }

    if (smcf->zone == NULL) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_segments_count;

    return NGX_OK;
}


/*
 * After a reload the memory is the old workers', too.  Another version of this
 * module, or another size, gets new memory from nginx.
 */

static ngx_int_t
ngx_http_segments_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_uint_t                      i;
    ngx_slab_pool_t                *shpool;
    ngx_http_segments_zone_t       *shared;
    ngx_http_segments_meter_t     **meter;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (shpool->data == NULL) {
        shared = ngx_slab_calloc(shpool, sizeof(ngx_http_segments_zone_t));
        if (shared == NULL) {
            return NGX_ERROR;
        }

        shpool->data = shared;
        shpool->log_nomem = 0;
    }

    meter = smcf->meters.elts;

    for (i = 0; i < smcf->meters.nelts; i++) {

        if (ngx_http_segments_init_counts(shpool, meter[i]) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "zone \"%V\" is too small for the guarded locations "
                          "that it has seen: give it another size",
                          &zone->shm.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_init_counts(ngx_slab_pool_t *shpool,
    ngx_http_segments_meter_t *meter)
{
    u_char                      *p;
    ngx_http_segments_zone_t    *shared;
    ngx_http_segments_counts_t  *counts;

    shared = shpool->data;

    for (counts = shared->counts; counts; counts = counts->next) {

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
            return NGX_OK;
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

    counts->next = shared->counts;
    shared->counts = counts;

    meter->counts = counts;

    return NGX_OK;
}


static ngx_http_segments_zone_t *
ngx_http_segments_shared(ngx_http_segments_main_conf_t *smcf)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) smcf->zone->shm.addr;

    return shpool->data;
}


/* a process that takes another's place finds what that one left there */

void
ngx_http_segments_metrics_begin(ngx_http_segments_main_conf_t *smcf)
{
    ngx_http_segments_zone_t  *shared;

    if (smcf->zone == NULL) {
        return;
    }

    shared = ngx_http_segments_shared(smcf);

    ngx_http_segments_slot = &shared->slots[ngx_process_slot];

    ngx_memzero(ngx_http_segments_slot, sizeof(ngx_http_segments_slot_t));

    ngx_http_segments_slot->pid = ngx_pid;
}


void
ngx_http_segments_metrics_end(void)
{
    if (ngx_http_segments_slot) {
        ngx_http_segments_slot->pid = 0;
        ngx_http_segments_slot = NULL;
    }
}


void
ngx_http_segments_set_gauge(ngx_http_segments_gauge_e gauge, ngx_uint_t value)
{
    if (ngx_http_segments_slot) {
        ngx_http_segments_slot->gauges[gauge] = value;
    }
}


/* in the log phase: what became of the request is certain by now */

static ngx_int_t
ngx_http_segments_count(ngx_http_request_t *r)
{
    ngx_msec_t                   time;
    ngx_uint_t                   class;
    ngx_http_segments_ctx_t     *ctx;
    ngx_http_segments_counts_t  *counts;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx == NULL || ctx->meter == NULL) {
        return NGX_OK;
    }

    counts = ctx->meter->counts;

    (void) ngx_atomic_fetch_add(&counts->outcomes[ctx->outcome], 1);

    if (ctx->redis_start) {
        ngx_http_segments_count_time(&counts->redis,
                                     ngx_http_segments_redis_bounds,
                                     ngx_http_segments_redis_time(ctx));
    }

    class = ctx->upstream_status / 100 - 2;

    if (class < NGX_HTTP_SEGMENTS_CLASSES) {
        (void) ngx_atomic_fetch_add(&counts->responses[class], 1);
    }

    if (ngx_http_segments_upstream_time(r, &time) == NGX_OK) {
        ngx_http_segments_count_time(&counts->upstream,
                                     ngx_http_segments_upstream_bounds, time);
    }

    return NGX_OK;
}


/* with the wait of which the client did not see the end */

static ngx_msec_t
ngx_http_segments_redis_time(ngx_http_segments_ctx_t *ctx)
{
    switch (ctx->state) {

    case ngx_http_segments_admit:
    case ngx_http_segments_spend:
    case ngx_http_segments_settle:
        return ctx->redis_time + (ngx_current_msec - ctx->redis_start);

    default:
        return ctx->redis_time;
    }
}


/* of all tries together; NGX_DECLINED where there was none */

static ngx_int_t
ngx_http_segments_upstream_time(ngx_http_request_t *r, ngx_msec_t *time)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    *time = 0;

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].peer && state[i].response_time != (ngx_msec_t) -1) {
            *time += state[i].response_time;
            rc = NGX_OK;
        }
    }

    return rc;
}


static void
ngx_http_segments_count_time(ngx_http_segments_times_t *times,
    const unsigned *bounds, ngx_msec_t time)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_SEGMENTS_BOUNDS; i++) {
        if (time <= bounds[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&times->counts[i], 1);
    (void) ngx_atomic_fetch_add(&times->sum, time);
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
    ngx_http_segments_expose(smcf, &text);

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


static void
ngx_http_segments_expose(ngx_http_segments_main_conf_t *smcf, sg_buf_t *buf)
{
    ngx_uint_t                        i;
    ngx_http_segments_zone_t         *shared;
    const ngx_http_segments_gauge_t  *gauge;

    shared = ngx_http_segments_shared(smcf);

    sg_exposition_metric(buf, "segments_requests_total", "counter",
                         "Requests to guarded locations, by how they ended.");
    ngx_http_segments_expose_requests(&smcf->meters, buf);

    sg_exposition_metric(buf, "segments_upstream_responses_total", "counter",
                         "Answers of the upstream, by their status.");
    ngx_http_segments_expose_responses(&smcf->meters, buf);

    sg_exposition_metric(buf, "segments_redis_duration_seconds", "histogram",
                         "Time that a request spent waiting for Redis.");
    ngx_http_segments_expose_times(&smcf->meters, buf,
                                   "segments_redis_duration_seconds",
                                   offsetof(ngx_http_segments_counts_t, redis),
                                   ngx_http_segments_redis_bounds);

    sg_exposition_metric(buf, "segments_upstream_duration_seconds",
                         "histogram",
                         "Time that a request spent at the upstream.");
    ngx_http_segments_expose_times(&smcf->meters, buf,
                                   "segments_upstream_duration_seconds",
                                   offsetof(ngx_http_segments_counts_t,
                                            upstream),
                                   ngx_http_segments_upstream_bounds);

    for (i = 0; i < NGX_HTTP_SEGMENTS_GAUGES; i++) {

        gauge = &ngx_http_segments_gauges[i];

        sg_exposition_metric(buf, gauge->name, "gauge", gauge->help);
        sg_exposition_value(buf, gauge->name, NULL, 0,
                            ngx_http_segments_gauge(shared, i));
    }
}


static void
ngx_http_segments_expose_requests(ngx_array_t *meters, sg_buf_t *buf)
{
    ngx_uint_t                   i, n;
    sg_label_t                   labels[3];
    ngx_http_segments_meter_t  **meter;

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        ngx_http_segments_labels(meter[i], labels);

        for (n = 0; n < NGX_HTTP_SEGMENTS_OUTCOMES; n++) {

            ngx_http_segments_label(&labels[2], "outcome",
                                    ngx_http_segments_outcome_name(n));

            sg_exposition_value(buf, "segments_requests_total", labels, 3,
                                meter[i]->counts->outcomes[n]);
        }
    }
}


static void
ngx_http_segments_expose_responses(ngx_array_t *meters, sg_buf_t *buf)
{
    ngx_uint_t                   i, n;
    sg_label_t                   labels[3];
    ngx_http_segments_meter_t  **meter;

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        ngx_http_segments_labels(meter[i], labels);

        for (n = 0; n < NGX_HTTP_SEGMENTS_CLASSES; n++) {

            ngx_http_segments_label(&labels[2], "class",
                                    ngx_http_segments_classes[n]);

            sg_exposition_value(buf, "segments_upstream_responses_total",
                                labels, 3, meter[i]->counts->responses[n]);
        }
    }
}


static void
ngx_http_segments_expose_times(ngx_array_t *meters, sg_buf_t *buf,
    const char *name, size_t offset, const unsigned *bounds)
{
    ngx_uint_t                   i, n;
    sg_label_t                   labels[2];
    sg_histogram_t               histogram;
    unsigned long long           counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_http_segments_times_t   *times;
    ngx_http_segments_meter_t  **meter;

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        times = (ngx_http_segments_times_t *)
                ((u_char *) meter[i]->counts + offset);

        for (n = 0; n <= NGX_HTTP_SEGMENTS_BOUNDS; n++) {
            counts[n] = times->counts[n];
        }

        histogram.bounds = bounds;
        histogram.nbounds = NGX_HTTP_SEGMENTS_BOUNDS;
        histogram.counts = counts;
        histogram.sum = times->sum;

        ngx_http_segments_labels(meter[i], labels);

        sg_exposition_histogram(buf, name, labels, 2, &histogram);
    }
}


static void
ngx_http_segments_labels(ngx_http_segments_meter_t *meter, sg_label_t *labels)
{
    labels[0].name = "server";
    labels[0].value.data = meter->server.data;
    labels[0].value.len = meter->server.len;

    labels[1].name = "location";
    labels[1].value.data = meter->location.data;
    labels[1].value.len = meter->location.len;
}


static void
ngx_http_segments_label(sg_label_t *label, const char *name, const char *value)
{
    label->name = name;
    label->value.data = (const u_char *) value;
    label->value.len = ngx_strlen(value);
}


static ngx_uint_t
ngx_http_segments_gauge(ngx_http_segments_zone_t *shared, ngx_uint_t gauge)
{
    ngx_uint_t                 i, value, sum, most;
    ngx_http_segments_slot_t  *slot;

    sum = 0;
    most = 0;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {

        slot = &shared->slots[i];
        value = slot->gauges[gauge];

        if (slot->pid == 0 || value == 0 || !ngx_http_segments_alive(slot)) {
            continue;
        }

        sum += value;
        most = ngx_max(most, value);
    }

    return ngx_http_segments_gauges[gauge].most ? most : sum;
}


/* an old worker that was killed leaves its place to nobody at once */

static ngx_uint_t
ngx_http_segments_alive(ngx_http_segments_slot_t *slot)
{
    return kill((ngx_pid_t) slot->pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}
