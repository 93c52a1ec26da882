
#include "test.h"

#include "contract/sg_exposition.h"


static void
metric(void **state)
{
    sg_buf_t  out;

    (void) state;

    sg_buf_init(&out);
    sg_exposition_metric(&out, "requests_total", "counter", "What came.");
    check_buf("metric", &out,
              "# HELP requests_total What came.\n"
              "# TYPE requests_total counter\n");
    sg_buf_free(&out);
}


static void
values(void **state)
{
    sg_buf_t          out;
    const sg_label_t  labels[] = {
        { "a", sg_string("1") },
        { "b", sg_string("") }
    };

    (void) state;

    sg_buf_init(&out);
    sg_exposition_value(&out, "n", NULL, 0, 0);
    sg_exposition_value(&out, "n", labels, 1, 7);
    sg_exposition_value(&out, "n", labels, 2, 18446744073709551615ULL);
    check_buf("values", &out,
              "n 0\n"
              "n{a=\"1\"} 7\n"
              "n{a=\"1\",b=\"\"} 18446744073709551615\n");
    sg_buf_free(&out);
}


static void
label_bytes(void **state)
{
    static const struct {
        sg_str_t     value;
        const char  *expected;
    } rows[] = {
        { sg_string("/v4/segments"), "n{l=\"/v4/segments\"} 1\n" },
        { sg_string(" ~%{}="), "n{l=\" ~%{}=\"} 1\n" },
        { sg_string("a\"b\\c"), "n{l=\"a\\\"b\\\\c\"} 1\n" },
        { sg_string("a\nb\tc\0d"), "n{l=\"a%0Ab%09c%00d\"} 1\n" },
        { sg_string("\x7f\xc3\xa9\xff"), "n{l=\"%7F%C3%A9%FF\"} 1\n" }
    };

    char        row[16];
    size_t      i;
    sg_buf_t    out;
    sg_label_t  label;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        label.name = "l";
        label.value = str_exact(rows[i].value);

        sg_buf_init(&out);
        sg_exposition_value(&out, "n", &label, 1, 1);
        check_buf(row, &out, rows[i].expected);
        sg_buf_free(&out);

        str_exact_free(label.value);
    }
}


static void
histograms(void **state)
{
    sg_buf_t                         out;
    sg_histogram_t                   h;
    const sg_label_t                 label = { "l", sg_string("x") };
    static const unsigned            bounds[] = { 1, 25, 500, 2000, 10500 };
    static const unsigned long long  counts[] = { 3, 0, 2, 1, 0, 4 };
    static const unsigned long long  none[] = { 0, 0 };

    (void) state;

    h.bounds = bounds;
    h.nbounds = N(bounds);
    h.counts = counts;
    h.sum = 12340;

    sg_buf_init(&out);
    sg_exposition_histogram(&out, "t", &label, 1, &h);
    check_buf("labelled", &out,
              "t_bucket{l=\"x\",le=\"0.001\"} 3\n"
              "t_bucket{l=\"x\",le=\"0.025\"} 3\n"
              "t_bucket{l=\"x\",le=\"0.5\"} 5\n"
              "t_bucket{l=\"x\",le=\"2\"} 6\n"
              "t_bucket{l=\"x\",le=\"10.5\"} 6\n"
              "t_bucket{l=\"x\",le=\"+Inf\"} 10\n"
              "t_sum{l=\"x\"} 12.34\n"
              "t_count{l=\"x\"} 10\n");
    sg_buf_free(&out);

    h.nbounds = 1;
    h.counts = none;
    h.sum = 0;

    sg_buf_init(&out);
    sg_exposition_histogram(&out, "t", NULL, 0, &h);
    check_buf("empty", &out,
              "t_bucket{le=\"0.001\"} 0\n"
              "t_bucket{le=\"+Inf\"} 0\n"
              "t_sum 0\n"
              "t_count 0\n");
    sg_buf_free(&out);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(metric),
        cmocka_unit_test(values),
        cmocka_unit_test(label_bytes),
        cmocka_unit_test(histograms)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
