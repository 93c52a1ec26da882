
/*
 * Every allocation fails once (linked with --wrap): each failure has to be
 * reported as one, and a sanitizer sees what it leaks.
 */

#include "test.h"

#include <errno.h>
#include <jansson.h>

#include "contract/sg_body.h"
#include "contract/sg_drift.h"
#include "contract/sg_envelope.h"
#include "contract/sg_idempotency_key.h"


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);


static long  countdown = -1;            /* the allocation that fails is 0 */


static int
fails(void)
{
    if (countdown < 0 || countdown-- != 0) {
        return 0;
    }

    errno = ENOMEM;                     /* as malloc() does (POSIX) */

    return 1;
}


void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}


void *
__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}


/* returns the rest of the countdown: not negative when nothing failed */

static long
run_with_failure(long nth, const char *body, sg_body_e expected)
{
    long            left;
    sg_buf_t        out;
    sg_body_e       rc;
    sg_errors_t     errors;
    sg_body_text_t  text;
    unsigned char   fingerprint[SG_FINGERPRINT_LEN];

    text.head = str(body);
    text.rest = str("");

    sg_errors_init(&errors);
    sg_buf_init(&out);

    countdown = nth;
    rc = sg_body_check(sg_op_create, &text, 0, &errors, fingerprint);
    left = countdown;

    /* what the reader had no memory for, jansson may have had some for */

    if (left >= 0 || rc != expected) {
        check_int(body, rc, left < 0 ? sg_body_failed : expected);
    }

    if (left >= 0 && rc != sg_body_ok) {
        sg_envelope(&out, "request", "invalid_data", "m", &errors);
        left = countdown;
        check_int(body, out.failed, left < 0);
    }

    countdown = -1;

    sg_buf_free(&out);
    sg_errors_free(&errors);

    return left;
}


static void
bodies(void **state)
{
    static const struct {
        const char  *body;
        sg_body_e    rc;
    } rows[] = {
        { "{\"n\\u0061me\":\"A\",\"conditions\":[{\"metric\":\"m\","
          "\"comparator\":\"eq\",\"value\":\"v\",\"negate\":true},"
          "{\"metric\":\"m\",\"comparator\":\"ne\",\"value\":\"v\"}]}",
          sg_body_ok },
        { "{\"name\":\"\\n\",\"conditions\":[{\"metric\":\"m\\t\","
          "\"comparator\":\"eq\",\"value\":\"v\",\"negate\":true}]}",
          sg_body_ok },
        { "{\"name\":true,\"conditions\":[null,{}]}", sg_body_invalid },
        { "{\"a\":1,\"b\":1.5,\"c\":null,\"d\":[],\"e\":{},\"f\":\"\","
          "\"g\":0,\"conditions\":[0,{},{},{},{}]}", sg_body_invalid },
        { "[1.5]", sg_body_not_object },
        { "{\"a\":1,\"a\":2}", sg_body_not_json },
        { "[[[[[[[[[[[[[[[[[[[[", sg_body_not_json }
    };

    long    nth;
    size_t  i;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        for (nth = 0; run_with_failure(nth, rows[i].body, rows[i].rc) < 0;
             nth++)
        {
            assert_true(nth < 1000);
        }

        assert_true(nth >= 1);          /* something did fail */
    }
}


/* a large object is sorted in memory of its own */

static void
fingerprints(void **state)
{
    long           nth, left;
    json_t        *value;
    unsigned       i;
    unsigned char  out[SG_FINGERPRINT_LEN];

    (void) state;

    value = json_object();

    for (i = 0; i < 20; i++) {
        json_object_set_new(value, (char [2]) { (char) ('a' + i), 0 },
                            json_integer(i));
    }

    nth = 0;

    do {
        countdown = nth++;
        i = sg_fingerprint(out, value) != 0;
        left = countdown;
        countdown = -1;

        assert_int_equal(i, left < 0);
    } while (left < 0);

    assert_true(nth >= 3 && nth <= 10);

    json_decref(value);
}


/* only that of a long scope is made in memory of its own */

static void
upstream_keys(void **state)
{
    sg_str_t       scope;
    unsigned char  out[SG_UPSTREAM_KEY_LEN], fingerprint[SG_FINGERPRINT_LEN];
    unsigned char  room[1000];

    (void) state;

    memset(fingerprint, '0', sizeof(fingerprint));
    memset(room, 's', sizeof(room));

    scope.data = room;
    scope.len = sizeof(room);

    countdown = 0;
    assert_int_equal(sg_upstream_key(out, scope, sg_op_create, STR("k"),
                                     fingerprint),
                     -1);
    assert_int_equal(countdown, -1);

    countdown = 0;
    assert_int_equal(sg_upstream_key(out, STR("s"), sg_op_create, STR("k"),
                                     fingerprint),
                     0);
    assert_int_equal(countdown, 0);

    countdown = -1;
}


/* nobody takes what could not be read for what is not as documented */

static void
answers(void **state)
{
    static const char *const  rows[] = {
        "{\"object\":\"segment\",\"conditions\":[{}]}", "not JSON", "[[["
    };

    long           nth, left;
    size_t         i;
    sg_drift_e     rc;
    sg_drift_t     drift;
    sg_answered_t  answer;

    (void) state;

    for (i = 0; i < N(rows); i++) {

        answer.status = 200;
        answer.type = str("application/json");
        answer.body = str(rows[i]);

        nth = 0;

        do {
            countdown = nth++;
            rc = sg_drift_check(sg_op_get, &answer, &drift);
            left = countdown;
            countdown = -1;

            check_int(rows[i], rc, left < 0 ? sg_drift_failed
                                            : sg_drift_found);
        } while (left < 0);

        assert_true(nth >= 2 && nth <= 100);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(upstream_keys),
        cmocka_unit_test(answers)
    };

    json_set_alloc_funcs(__wrap_malloc, free);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
