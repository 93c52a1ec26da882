
/*
 * What was counted, to Prometheus.
 */


#include "metrics/ngx_http_segments_exposition.h"
#include "contract/sg_exposition.h"
#include "contract/sg_version.h"
#include "message/ngx_http_segments_text.h"
#include <jansson.h>


#define ngx_http_segments_number(n)   ngx_http_segments_digits(n)
#define ngx_http_segments_digits(n)   #n

/* as it was built, from the archive */
#define NGX_HTTP_SEGMENTS_HIREDIS                                             \
    ngx_http_segments_number(HIREDIS_MAJOR) "."                               \
    ngx_http_segments_number(HIREDIS_MINOR) "."                               \
    ngx_http_segments_number(HIREDIS_PATCH)


static void ngx_http_segments_expose_requests(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_responses(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_refusals(ngx_array_t *meters,
    sg_buf_t *buf);
static void ngx_http_segments_expose_measure(ngx_array_t *meters,
    ngx_http_segments_measure_e which, const char *name, sg_buf_t *buf);
static void ngx_http_segments_expose_answers(
    ngx_http_segments_compared_t *counts, sg_buf_t *buf);
static void ngx_http_segments_expose_fields(const char *name,
    ngx_atomic_t (*counts)[sg_field_n], ngx_uint_t additional, sg_buf_t *buf);
static void ngx_http_segments_expose_redis(
    ngx_http_segments_metrics_conf_t *mcf, sg_buf_t *buf);
static void ngx_http_segments_expose_gauge(const char *name, const char *help,
    ngx_uint_t value, sg_buf_t *buf);
static void ngx_http_segments_expose_build(sg_buf_t *buf);
static void ngx_http_segments_labels(ngx_http_segments_meter_t *meter,
    sg_label_t *labels);
static void ngx_http_segments_label(sg_label_t *label, const char *name,
    const char *value);


static const char  *ngx_http_segments_classes[] = {
    "2xx", "3xx", "4xx", "5xx"
};


void
ngx_http_segments_expose(ngx_http_segments_metrics_conf_t *mcf, sg_buf_t *buf)
{
    sg_exposition_metric(buf, "segments_requests_total", "counter",
                         "Requests to guarded locations, by how they ended.");
    ngx_http_segments_expose_requests(&mcf->meters, buf);

    sg_exposition_metric(buf, "segments_upstream_responses_total", "counter",
                         "Answers of the upstream, by their status.");
    ngx_http_segments_expose_responses(&mcf->meters, buf);

    sg_exposition_metric(buf, "segments_redis_duration_seconds", "histogram",
                         "Time that a request spent waiting for Redis.");
    ngx_http_segments_expose_measure(&mcf->meters, ngx_http_segments_redis_ms,
                                     "segments_redis_duration_seconds", buf);

    sg_exposition_metric(buf, "segments_upstream_duration_seconds",
                         "histogram",
                         "Time that a request spent at the upstream.");
    ngx_http_segments_expose_measure(&mcf->meters,
                                     ngx_http_segments_upstream_ms,
                                     "segments_upstream_duration_seconds",
                                     buf);

    sg_exposition_metric(buf, "segments_record_bytes", "histogram",
                         "Header and body of the answers that Redis has "
                         "taken.");
    ngx_http_segments_expose_measure(&mcf->meters,
                                     ngx_http_segments_record_bytes,
                                     "segments_record_bytes", buf);

    sg_exposition_metric(buf, "segments_rate_limit_refusals_total", "counter",
                         "Creates that a limit refused, or would have but "
                         "for its dry run.");
    ngx_http_segments_expose_refusals(&mcf->meters, buf);

    sg_exposition_metric(buf, "segments_contract_answers_total", "counter",
                         "Answers of the upstream, by how they compared with "
                         "the documentation.");
    ngx_http_segments_expose_answers(mcf->compared, buf);

    sg_exposition_metric(buf, "segments_contract_drift_total", "counter",
                         "Answers of the upstream in which this field is not "
                         "as documented.");

    if (mcf->compared) {
        ngx_http_segments_expose_fields("segments_contract_drift_total",
                                        mcf->compared->fields, 0, buf);
    }

    sg_exposition_metric(buf, "segments_contract_additional_total", "counter",
                         "Answers of the upstream in which this field has "
                         "members that are not documented.");

    if (mcf->compared) {
        ngx_http_segments_expose_fields("segments_contract_additional_total",
                                        mcf->compared->additional, 1, buf);
    }

    sg_exposition_metric(buf, "segments_redis_unusable_workers", "gauge",
                         "Worker processes whose last commands found this "
                         "Redis unusable.");
    ngx_http_segments_expose_redis(mcf, buf);

    ngx_http_segments_expose_gauge("segments_waiting_requests",
        "Duplicates that wait for the answer to the first request.",
        ngx_http_segments_gauge_sum(mcf, ngx_http_segments_gauge_waiting),
        buf);

    ngx_http_segments_expose_gauge("segments_background_completions",
        "Ended requests whose end Redis has not taken yet.",
        ngx_http_segments_gauge_sum(mcf, ngx_http_segments_gauge_background),
        buf);

    /* each worker has them all */

    ngx_http_segments_expose_gauge("segments_secret_key_files_refused",
        "Key files that changed and cannot be used, the key before stays.",
        ngx_http_segments_gauge_max(mcf, ngx_http_segments_gauge_refused),
        buf);

    sg_exposition_metric(buf, "segments_build_info", "gauge",
                         "1, with the version of the module and of what it "
                         "was built with.");
    ngx_http_segments_expose_build(buf);
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
ngx_http_segments_expose_refusals(ngx_array_t *meters, sg_buf_t *buf)
{
    ngx_uint_t                        i, n;
    sg_label_t                        labels[4];
    ngx_http_segments_meter_t       **meter;
    ngx_http_segments_refusals_t     *refusals;
    ngx_http_segments_limit_meter_t  *limit;

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        ngx_http_segments_labels(meter[i], labels);

        limit = meter[i]->limits.elts;

        for (n = 0; n < meter[i]->limits.nelts; n++) {
            refusals = limit[n].refusals;

            labels[2].name = "limit";
            labels[2].value = ngx_http_segments_text(&limit[n].name);

            ngx_http_segments_label(&labels[3], "dry_run", "no");
            sg_exposition_value(buf, "segments_rate_limit_refusals_total",
                                labels, 4, refusals->refused);

            ngx_http_segments_label(&labels[3], "dry_run", "yes");
            sg_exposition_value(buf, "segments_rate_limit_refusals_total",
                                labels, 4, refusals->dry_run);
        }
    }
}


static void
ngx_http_segments_expose_measure(ngx_array_t *meters,
    ngx_http_segments_measure_e which, const char *name, sg_buf_t *buf)
{
    ngx_uint_t                      i, n;
    sg_label_t                      labels[2];
    sg_histogram_t                  histogram;
    unsigned long long              counts[NGX_HTTP_SEGMENTS_BOUNDS + 1];
    ngx_http_segments_meter_t     **meter;
    ngx_http_segments_histogram_t  *shared;

    meter = meters->elts;

    for (i = 0; i < meters->nelts; i++) {

        shared = &meter[i]->counts->measures[which];

        for (n = 0; n <= NGX_HTTP_SEGMENTS_BOUNDS; n++) {
            counts[n] = shared->counts[n];
        }

        histogram.bounds = ngx_http_segments_bounds(which);
        histogram.nbounds = NGX_HTTP_SEGMENTS_BOUNDS;
        histogram.counts = counts;
        histogram.sum = shared->sum;
        histogram.plain = (which == ngx_http_segments_record_bytes);

        ngx_http_segments_labels(meter[i], labels);

        sg_exposition_histogram(buf, name, labels, 2, &histogram);
    }
}


static void
ngx_http_segments_expose_answers(ngx_http_segments_compared_t *counts,
    sg_buf_t *buf)
{
    ngx_uint_t  n, operation;
    sg_label_t  labels[2];

    if (counts == NULL) {
        return;
    }

    for (operation = 0; operation < sg_op_n; operation++) {

        ngx_http_segments_label(&labels[0], "operation",
                                sg_operation_name(operation));

        for (n = 0; n < NGX_HTTP_SEGMENTS_COMPARED; n++) {

            ngx_http_segments_label(&labels[1], "contract",
                                    ngx_http_segments_compared_name(n));

            sg_exposition_value(buf, "segments_contract_answers_total", labels,
                                2, counts->answers[operation][n]);
        }
    }
}


/* a zero for each that the answers to an operation can have, and no others */

static void
ngx_http_segments_expose_fields(const char *name,
    ngx_atomic_t (*counts)[sg_field_n], ngx_uint_t additional, sg_buf_t *buf)
{
    ngx_uint_t   field, operation;
    sg_drift_t   possible;
    sg_label_t   labels[2];
    sg_fields_t  fields;

    for (operation = 0; operation < sg_op_n; operation++) {

        ngx_http_segments_label(&labels[0], "operation",
                                sg_operation_name(operation));

        sg_drift_possible(operation, &possible);
        fields = additional ? possible.additional : possible.fields;

        for (field = 0; field < sg_field_n; field++) {

            if (!(fields & SG_FIELD(field))) {
                continue;
            }

            ngx_http_segments_label(&labels[1], "field", sg_field_path(field));

            sg_exposition_value(buf, name, labels, 2,
                                counts[operation][field]);
        }
    }
}


static void
ngx_http_segments_expose_redis(ngx_http_segments_metrics_conf_t *mcf,
    sg_buf_t *buf)
{
    ngx_uint_t                        i, n;
    sg_label_t                        label;
    ngx_http_segments_redis_gauge_t  *gauge;
    ngx_http_segments_redis_state_t  *state;

    gauge = mcf->redis_gauges.elts;

    for (i = 0; i < mcf->redis_gauges.nelts; i++) {

        state = gauge[i].state;

        /* another user's of the same address has been shown with it */

        for (n = 0; gauge[n].state != state; n++) { /* void */ }

        if (n < i) {
            continue;
        }

        label.name = "redis";
        label.value = ngx_http_segments_text(&state->name);

        sg_exposition_value(buf, "segments_redis_unusable_workers", &label, 1,
                            ngx_http_segments_redis_unusable(mcf, state));
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
ngx_http_segments_expose_build(sg_buf_t *buf)
{
    sg_label_t  labels[4];

    ngx_http_segments_label(&labels[0], "version", SG_VERSION);
    ngx_http_segments_label(&labels[1], "nginx", NGINX_VERSION);
    ngx_http_segments_label(&labels[2], "hiredis", NGX_HTTP_SEGMENTS_HIREDIS);
    ngx_http_segments_label(&labels[3], "jansson", jansson_version_str());

    sg_exposition_value(buf, "segments_build_info", labels, 4, 1);
}


static void
ngx_http_segments_labels(ngx_http_segments_meter_t *meter, sg_label_t *labels)
{
    labels[0].name = "server";
    labels[0].value = ngx_http_segments_text(&meter->server);

    labels[1].name = "location";
    labels[1].value = ngx_http_segments_text(&meter->location);
}


static void
ngx_http_segments_label(sg_label_t *label, const char *name, const char *value)
{
    label->name = name;
    label->value.data = (const u_char *) value;
    label->value.len = ngx_strlen(value);
}
