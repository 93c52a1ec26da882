
/*
 * Metrics as Prometheus reads them: its text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

#ifndef SG_EXPOSITION_H
#define SG_EXPOSITION_H


#include "contract/sg_buf.h"


#define SG_EXPOSITION_TYPE  "text/plain; version=0.0.4; charset=utf-8"


typedef struct {
    const char                *name;
    sg_str_t                   value;   /* any bytes: those that a label cannot
                                           have are percent-encoded */
} sg_label_t;


typedef struct {
    const unsigned            *bounds;  /* ascending */
    size_t                     nbounds;
    const unsigned long long  *counts;  /* nbounds + 1, each of what is above
                                           the bound before: not cumulative */
    unsigned long long         sum;
    unsigned                   plain:1; /* shown as they are; otherwise bounds
                                           and sum are milliseconds, shown in
                                           seconds */
} sg_histogram_t;


/* the lines before a metric's values; "type" is a word of the format */
void sg_exposition_metric(sg_buf_t *buf, const char *name, const char *type,
    const char *help);

void sg_exposition_value(sg_buf_t *buf, const char *name,
    const sg_label_t *labels, size_t nlabels, unsigned long long value);

/* the buckets, _sum and _count */
void sg_exposition_histogram(sg_buf_t *buf, const char *name,
    const sg_label_t *labels, size_t nlabels, const sg_histogram_t *histogram);


#endif /* SG_EXPOSITION_H */
