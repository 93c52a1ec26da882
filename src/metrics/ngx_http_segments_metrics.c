
/*
 * What was counted, to Prometheus.
 */


#include "metrics/ngx_http_segments_metrics.h"
#include "contract/sg_exposition.h"


static void ngx_http_segments_expose(ngx_http_segments_main_conf_t *smcf,
    sg_buf_t *buf);
static void ngx_http_segments_expose_requests(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_responses(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_time(ngx_array_t *meters,
    ngx_http_segments_time_e time, const char *name, sg_buf_t *buf);
static void ngx_http_segments_expose_redis(ngx_http_segments_main_conf_t *smcf,
    sg_buf_t *buf);
static void ngx_http_segments_expose_gauge(const char *name, const char *help,
    ngx_uint_t value, sg_buf_t *buf);
static void ngx_http_segments_labels(ngx_http_segments_meter_t *meter,
    sg_label_t *labels);
static void ngx_http_segments_label(sg_label_t *label, const char *name,
    const char *value);


static const char  *ngx_http_segments_classes[] = {
    "2xx", "3xx", "4xx", "5xx"
};


char *
ngx_http_segments_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_segments_main_conf_t  *smcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_segments_metrics_handler;

    /* the zone may stand behind */

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    smcf->metrics.cscf = ngx_http_conf_get_module_srv_conf(cf,
                                                        ngx_http_core_module);
    smcf->metrics.clcf = clcf;

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
    sg_exposition_metric(buf, "segments_requests_total", "counter",
                         "Requests to guarded locations, by how they ended.");
    ngx_http_segments_expose_requests(&smcf->meters, buf);

    sg_exposition_metric(buf, "segments_upstream_responses_total", "counter",
                         "Answers of the upstream, by their status.");
    ngx_http_segments_expose_responses(&smcf->meters, buf);

    sg_exposition_metric(buf, "segments_redis_duration_seconds", "histogram",
                         "Time that a request spent waiting for Redis.");
    ngx_http_segments_expose_time(&smcf->meters, ngx_http_segments_time_redis,
                                  "segments_redis_duration_seconds", buf);

    sg_exposition_metric(buf, "segments_upstream_duration_seconds",
                         "histogram",
                         "Time that a request spent at the upstream.");
    ngx_http_segments_expose_time(&smcf->meters,
                                  ngx_http_segments_time_upstream,
                                  "segments_upstream_duration_seconds", buf);

    sg_exposition_metric(buf, "segments_redis_unusable_workers", "gauge",
                         "Worker processes whose last commands found this "
                         "Redis unusable.");
    ngx_http_segments_expose_redis(smcf, buf);

    ngx_http_segments_expose_gauge("segments_waiting_requests",
        "Duplicates that wait for the answer to the first request.",
        ngx_http_segments_gauge_sum(smcf, ngx_http_segments_gauge_waiting),
        buf);

    ngx_http_segments_expose_gauge("segments_background_completions",
        "Ended requests whose end Redis has not taken yet.",
        ngx_http_segments_gauge_sum(smcf, ngx_http_segments_gauge_background),
        buf);

    /* each worker has them all */

    ngx_http_segments_expose_gauge("segments_secret_key_files_refused",
        "Key files that changed and cannot be used, the key before stays.",
        ngx_http_segments_gauge_max(smcf, ngx_http_segments_gauge_refused),
        buf);
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
ngx_http_segments_expose_time(ngx_array_t *meters,
    ngx_http_segments_time_e time, const char *name, sg_buf_t *buf)
{
    ngx_uint_t                       i, n;
    sg_label_t                       labels[2];
    sg_histogram_t                   histogram;
    unsigned long long               counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_http_segments_meter_t      **meter;
    ngx_http_segments_histogram_t   *shared;

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        shared = &meter[i]->counts->times[time];

        for (n = 0; n <= NGX_HTTP_SEGMENTS_BOUNDS; n++) {
            counts[n] = shared->counts[n];
        }

        histogram.bounds = ngx_http_segments_bounds(time);
        histogram.nbounds = NGX_HTTP_SEGMENTS_BOUNDS;
        histogram.counts = counts;
        histogram.sum = shared->sum;

        ngx_http_segments_labels(meter[i], labels);

        sg_exposition_histogram(buf, name, labels, 2, &histogram);
    }
}


static void
ngx_http_segments_expose_redis(ngx_http_segments_main_conf_t *smcf,
    sg_buf_t *buf)
{
    ngx_uint_t                        i, n;
    sg_label_t                        label;
    ngx_http_segments_redis_gauge_t  *gauge;
    ngx_http_segments_redis_state_t  *state;

    gauge = smcf->redis_gauges.elts;

    for (i = 0; i < smcf->redis_gauges.nelts; i++) {

        state = gauge[i].state;

        /* another user's of the same address has been shown with it */

        for (n = 0; gauge[n].state != state; n++) { /* void */ }

        if (n < i) {
            continue;
        }

        label.name = "redis";
        label.value.data = state->name.data;
        label.value.len = state->name.len;

        sg_exposition_value(buf, "segments_redis_unusable_workers", &label, 1,
                            ngx_http_segments_redis_unusable(smcf, state));
    }
}


static void
ngx_http_segments_expose_gauge(const char *name, const char *help,
    ngx_uint_t value, sg_buf_t *buf)
{
    sg_exposition_metric(buf, name, "gauge", help);
    sg_exposition_value(buf, name, NULL, 0, value);
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
