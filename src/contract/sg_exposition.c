
/*
 * Prometheus' text format.
 */

#include "contract/sg_exposition.h"


static void sg_exposition_name(sg_buf_t *buf, const char *name,
    const char *suffix, const sg_label_t *labels, size_t nlabels);
static void sg_exposition_bucket(sg_buf_t *buf, const char *name,
    const sg_label_t *labels, size_t nlabels);
static void sg_exposition_labels(sg_buf_t *buf, const sg_label_t *labels,
    size_t nlabels);
static void sg_exposition_label(sg_buf_t *buf, sg_str_t value);
static void sg_exposition_number(sg_buf_t *buf,
    const sg_histogram_t *histogram, unsigned long long n);
static void sg_exposition_seconds(sg_buf_t *buf, unsigned long long msec);


void
sg_exposition_metric(sg_buf_t *buf, const char *name, const char *type,
    const char *help)
{
    sg_buf_add_cstr(buf, "# HELP ");
    sg_buf_add_cstr(buf, name);
    sg_buf_add_cstr(buf, " ");
    sg_buf_add_cstr(buf, help);
    sg_buf_add_cstr(buf, "\n# TYPE ");
    sg_buf_add_cstr(buf, name);
    sg_buf_add_cstr(buf, " ");
    sg_buf_add_cstr(buf, type);
    sg_buf_add_cstr(buf, "\n");
}


void
sg_exposition_value(sg_buf_t *buf, const char *name, const sg_label_t *labels,
    size_t nlabels, unsigned long long value)
{
    sg_exposition_name(buf, name, "", labels, nlabels);
    sg_buf_add_uint(buf, value);
    sg_buf_add_cstr(buf, "\n");
}


void
sg_exposition_histogram(sg_buf_t *buf, const char *name,
    const sg_label_t *labels, size_t nlabels, const sg_histogram_t *histogram)
{
    size_t              i;
    unsigned long long  count;

    count = 0;

    for (i = 0; i < histogram->nbounds; i++) {

        count += histogram->counts[i];

        sg_exposition_bucket(buf, name, labels, nlabels);
        sg_exposition_number(buf, histogram, histogram->bounds[i]);
        sg_buf_add_cstr(buf, "\"} ");
        sg_buf_add_uint(buf, count);
        sg_buf_add_cstr(buf, "\n");
    }

    count += histogram->counts[i];

    sg_exposition_bucket(buf, name, labels, nlabels);
    sg_buf_add_cstr(buf, "+Inf\"} ");
    sg_buf_add_uint(buf, count);
    sg_buf_add_cstr(buf, "\n");

    sg_exposition_name(buf, name, "_sum", labels, nlabels);
    sg_exposition_number(buf, histogram, histogram->sum);
    sg_buf_add_cstr(buf, "\n");

    sg_exposition_name(buf, name, "_count", labels, nlabels);
    sg_buf_add_uint(buf, count);
    sg_buf_add_cstr(buf, "\n");
}


static void
sg_exposition_name(sg_buf_t *buf, const char *name, const char *suffix,
    const sg_label_t *labels, size_t nlabels)
{
    sg_buf_add_cstr(buf, name);
    sg_buf_add_cstr(buf, suffix);

    if (nlabels) {
        sg_buf_add_cstr(buf, "{");
        sg_exposition_labels(buf, labels, nlabels);
        sg_buf_add_cstr(buf, "}");
    }

    sg_buf_add_cstr(buf, " ");
}


/* up to its bound */

static void
sg_exposition_bucket(sg_buf_t *buf, const char *name,
    const sg_label_t *labels, size_t nlabels)
{
    sg_buf_add_cstr(buf, name);
    sg_buf_add_cstr(buf, "_bucket{");
    sg_exposition_labels(buf, labels, nlabels);
    sg_buf_add_cstr(buf, nlabels ? ",le=\"" : "le=\"");
}


static void
sg_exposition_labels(sg_buf_t *buf, const sg_label_t *labels, size_t nlabels)
{
    size_t  i;

    for (i = 0; i < nlabels; i++) {
        sg_buf_add_cstr(buf, i ? "," : "");
        sg_buf_add_cstr(buf, labels[i].name);
        sg_buf_add_cstr(buf, "=\"");
        sg_exposition_label(buf, labels[i].value);
        sg_buf_add_cstr(buf, "\"");
    }
}


/* one byte that is no UTF-8, and Prometheus would drop everything */

static void
sg_exposition_label(sg_buf_t *buf, sg_str_t value)
{
    size_t         i;
    unsigned char  ch, escape[3];

    static const char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < value.len; i++) {

        ch = value.data[i];

        if (ch < 0x20 || ch >= 0x7f) {
            escape[0] = '%';
            escape[1] = hex[ch >> 4];
            escape[2] = hex[ch & 0xf];
            sg_buf_add(buf, escape, 3);
            continue;
        }

        if (ch == '"' || ch == '\\') {
            sg_buf_add_char(buf, '\\');
        }

        sg_buf_add_char(buf, ch);
    }
}


/* 1500: 1.5 */

static void
sg_exposition_number(sg_buf_t *buf, const sg_histogram_t *histogram,
    unsigned long long n)
{
    if (histogram->plain) {
        sg_buf_add_uint(buf, n);
        return;
    }

    sg_exposition_seconds(buf, n);
}


static void
sg_exposition_seconds(sg_buf_t *buf, unsigned long long msec)
{
    size_t    len;
    unsigned  rest;
    char      digits[3];

    sg_buf_add_uint(buf, msec / 1000);

    rest = msec % 1000;

    if (rest == 0) {
        return;
    }

    digits[0] = '0' + rest / 100;
    digits[1] = '0' + rest / 10 % 10;
    digits[2] = '0' + rest % 10;

    for (len = 3; digits[len - 1] == '0'; len--) { /* void */ }

    sg_buf_add_char(buf, '.');
    sg_buf_add(buf, digits, len);
}
