
#include "test.h"

#include "contract/sg_answer.h"


static void
directive_words(void **state)
{
    static const struct {
        const char     *word;
        sg_statuses_e   rc;
    } rows[] = {
        { "200", sg_statuses_ok }, { "299", sg_statuses_ok },
        { "2xx", sg_statuses_ok }, { "400", sg_statuses_ok },
        { "404", sg_statuses_ok }, { "409", sg_statuses_ok },
        { "422", sg_statuses_ok }, { "499", sg_statuses_ok },

        { "100", sg_statuses_refused }, { "199", sg_statuses_refused },
        { "300", sg_statuses_refused }, { "304", sg_statuses_refused },
        { "399", sg_statuses_refused }, { "401", sg_statuses_refused },
        { "402", sg_statuses_refused }, { "403", sg_statuses_refused },
        { "408", sg_statuses_refused }, { "418", sg_statuses_refused },
        { "425", sg_statuses_refused }, { "429", sg_statuses_refused },
        { "500", sg_statuses_refused }, { "599", sg_statuses_refused },

        { "", sg_statuses_syntax }, { "20", sg_statuses_syntax },
        { "2000", sg_statuses_syntax }, { "20x", sg_statuses_syntax },
        { "2XX", sg_statuses_syntax }, { "4xx", sg_statuses_syntax },
        { "099", sg_statuses_syntax }, { "600", sg_statuses_syntax },
        { "-20", sg_statuses_syntax }, { "any", sg_statuses_syntax }
    };

    size_t         i;
    unsigned       status, n;
    sg_statuses_t  set;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        memset(&set, 0, sizeof(set));
        check_int(rows[i].word, sg_statuses_add(&set, str(rows[i].word)),
                  rows[i].rc);

        n = 0;

        for (status = 0; status < 1000; status++) {
            n += sg_statuses_has(&set, status) != 0;
        }

        check_int(rows[i].word, n,
                  rows[i].rc ? 0 : strcmp(rows[i].word, "2xx") ? 1 : 100);
    }
}


static void
has_2xx(void **state)
{
    sg_statuses_t  set;

    (void) state;

    memset(&set, 0, sizeof(set));
    assert_int_equal(sg_statuses_add(&set, str("404")), sg_statuses_ok);
    assert_int_equal(sg_statuses_has_2xx(&set), 0);

    assert_int_equal(sg_statuses_add(&set, str("299")), sg_statuses_ok);
    assert_int_equal(sg_statuses_has_2xx(&set), 1);
}


static void
classes(void **state)
{
    static const char *const  words[] = {
        "2xx", "400", "404", "409", "422"
    };

    static const struct {
        unsigned     status;
        sg_answer_e  answer;
    } rows[] = {
        { 200, sg_answer_remembered }, { 201, sg_answer_remembered },
        { 299, sg_answer_remembered }, { 400, sg_answer_remembered },
        { 404, sg_answer_remembered }, { 409, sg_answer_remembered },
        { 422, sg_answer_remembered },

        { 401, sg_answer_not_executed }, { 402, sg_answer_not_executed },
        { 403, sg_answer_not_executed }, { 408, sg_answer_not_executed },
        { 418, sg_answer_not_executed }, { 425, sg_answer_not_executed },
        { 429, sg_answer_not_executed }, { 405, sg_answer_not_executed },
        { 499, sg_answer_not_executed },

        { 0, sg_answer_unknown }, { 100, sg_answer_unknown },
        { 199, sg_answer_unknown }, { 300, sg_answer_unknown },
        { 302, sg_answer_unknown }, { 399, sg_answer_unknown },
        { 500, sg_answer_unknown }, { 502, sg_answer_unknown },
        { 503, sg_answer_unknown }, { 599, sg_answer_unknown },
        { 600, sg_answer_unknown }, { 4294967295u, sg_answer_unknown }
    };

    static const sg_str_t  json = sg_string("application/json");

    char           row[16];
    size_t         i;
    sg_statuses_t  set;

    (void) state;

    memset(&set, 0, sizeof(set));

    for (i = 0; i < N(words); i++) {
        assert_int_equal(sg_statuses_add(&set, str(words[i])), sg_statuses_ok);
    }

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "%u", rows[i].status);
        check_int(row, sg_answer_classify(&set, rows[i].status, json),
                  rows[i].answer);
    }

    /* a 2xx that is not remembered may have been executed all the same */

    memset(&set, 0, sizeof(set));
    assert_int_equal(sg_statuses_add(&set, str("201")), sg_statuses_ok);
    assert_int_equal(sg_answer_classify(&set, 200, json), sg_answer_unknown);
    assert_int_equal(sg_answer_classify(&set, 404, json),
                     sg_answer_not_executed);
}


/* a 4xx of a front is none of the API's, a 2xx was executed all the same */

static void
types(void **state)
{
    static const struct {
        const char  *type;
        int          json;
    } rows[] = {
        { "application/json", 1 }, { "Application/JSON", 1 },
        { "application/json; charset=utf-8", 1 },
        { "application/json;charset=latin-1", 1 },
        { "application/json ; q=1", 1 }, { "application/json\t", 1 },

        { "", 0 }, { "application", 0 }, { "application/jso", 0 },
        { "application/jsonp", 0 }, { "application/json-seq", 0 },
        { "application/problem+json", 0 }, { "text/html", 0 },
        { "text/html; application/json", 0 }, { " application/json", 0 },
        { "application/json,text/html", 0 }
    };

    size_t         i;
    sg_str_t       type;
    sg_statuses_t  set;

    (void) state;

    memset(&set, 0, sizeof(set));
    assert_int_equal(sg_statuses_add(&set, str("2xx")), sg_statuses_ok);
    assert_int_equal(sg_statuses_add(&set, str("404")), sg_statuses_ok);

    for (i = 0; i < N(rows); i++) {
        type = str_exact(str(rows[i].type));

        check_int(rows[i].type, sg_answer_is_json(type), rows[i].json);
        check_int(rows[i].type, sg_answer_classify(&set, 404, type),
                  rows[i].json ? sg_answer_remembered
                               : sg_answer_not_executed);
        check_int(rows[i].type, sg_answer_classify(&set, 201, type),
                  sg_answer_remembered);
        check_int(rows[i].type, sg_answer_classify(&set, 500, type),
                  sg_answer_unknown);

        str_exact_free(type);
    }
}


static void
unauthorized(void **state)
{
    char      row[16];
    unsigned  status;

    (void) state;

    for (status = 0; status < 700; status++) {
        snprintf(row, sizeof(row), "%u", status);
        check_int(row, sg_answer_is_unauthorized(status),
                  status == 401 || status == 402 || status == 403
                  || status == 418);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(directive_words),
        cmocka_unit_test(has_2xx),
        cmocka_unit_test(classes),
        cmocka_unit_test(types),
        cmocka_unit_test(unauthorized)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
