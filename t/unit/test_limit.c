
#include "test.h"

#include "contract/sg_limit.h"
#include "contract/sg_record.h"


#define PREFIX  "segments:"


static void
rates(void **state)
{
    static const struct {
        const char          *text;
        unsigned long long   n, period;
    } rows[] = {
        { "1r/s", 1, 1000000 },
        { "3r/s", 3, 1000000 },
        { "60r/m", 1, 1000000 },
        { "7r/m", 7, 60000000 },
        { "60r/h", 1, 60000000 },
        { "1r/d", 1, 86400000000ULL },
        { "1000000r/s", 1, 1 },
        { "1000000r/d", 1, 86400 },
        { "999983r/d", 999983, 86400000000ULL },
        { "0060r/m", 1, 1000000 }
    };

    size_t      i;
    sg_limit_t  limit;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        check_int(rows[i].text, sg_limit_rate(&limit, str(rows[i].text)), 0);
        check_int(rows[i].text, (long long) limit.n, (long long) rows[i].n);
        check_int(rows[i].text, (long long) limit.period,
                  (long long) rows[i].period);
    }
}


static void
wrong_rates(void **state)
{
    static const char *const  rows[] = {
        "", "r", "r/", "r/s", "/s", "1", "1/s", "1r", "1r/", "1r/w", "1r/S",
        "1R/s", "0r/s", "000r/s", "-1r/s", "+1r/s", "1.5r/s", " 1r/s", "1r/s ",
        "1 r/s", "1rr/s", "xr/s", "1000001r/s", "99999999999999999999r/s"
    };

    size_t      i;
    sg_str_t    exact;
    sg_limit_t  limit;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        exact = str_exact(str(rows[i]));
        check_int(rows[i], sg_limit_rate(&limit, exact), -1);
        str_exact_free(exact);
    }
}


static void
bursts(void **state)
{
    static const char *const  wrong[] = {
        "", "-1", "+1", "1.5", " 1", "x", "100001", "99999999999999999999"
    };

    size_t      i;
    sg_limit_t  limit;

    (void) state;

    assert_int_equal(sg_limit_burst(&limit, STR("0")), 0);
    assert_int_equal(limit.quota, 1);
    assert_int_equal(sg_limit_burst(&limit, STR("100000")), 0);
    assert_int_equal(limit.quota, 100001);

    for (i = 0; i < N(wrong); i++) {
        check_int(wrong[i], sg_limit_burst(&limit, str(wrong[i])), -1);
    }
}


/* with a double for each of its numbers, the script is exact */

static void
largest(void **state)
{
    static const char *const  words[] = { "1r/d", "999983r/d", "1000000r/d" };

    size_t      i;
    sg_limit_t  limit;

    (void) state;

    for (i = 0; i < N(words); i++) {
        assert_int_equal(sg_limit_rate(&limit, str(words[i])), 0);
        assert_int_equal(sg_limit_burst(&limit, STR("100000")), 0);
        assert_true(limit.quota * limit.period < 1ULL << 53);
    }
}


static void
windows(void **state)
{
    static const struct {
        const char  *rate, *burst;
        long long    seconds;
    } rows[] = {
        { "1r/s", "0", 1 },
        { "60r/m", "9", 10 },
        { "3r/s", "0", 1 },
        { "3r/s", "2", 1 },
        { "3r/s", "3", 2 },
        { "7r/h", "1", 1029 },
        { "1000000r/s", "0", 1 },
        { "1000000r/s", "100000", 1 },
        { "1r/d", "100000", 8640086400LL }
    };

    size_t      i;
    sg_limit_t  limit;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        assert_int_equal(sg_limit_rate(&limit, str(rows[i].rate)), 0);
        assert_int_equal(sg_limit_burst(&limit, str(rows[i].burst)), 0);
        check_int(rows[i].rate, (long long) sg_limit_window(&limit),
                  rows[i].seconds);
    }
}


static void
limit_names(void **state)
{
    static const char *const  right[] = {
        "default", "a", "per-client", "!#$%&'*+-.^_`|~09azAZ",
        "0123456789012345678901234567890123456789012345678901234567890123"
    };
    static const char *const  wrong[] = {
        "", "a b", "a\"", "a\\", "a,b", "a;b", "{a}", "a:b", "\xc3\xa9", "a\n",
        "01234567890123456789012345678901234567890123456789012345678901234"
    };

    size_t  i;

    (void) state;

    for (i = 0; i < N(right); i++) {
        check_int(right[i], sg_limit_name_ok(str(right[i])), 1);
    }

    for (i = 0; i < N(wrong); i++) {
        check_int(wrong[i], sg_limit_name_ok(str(wrong[i])), 0);
    }
}


static void
keys(void **state)
{
    static const struct {
        sg_environment_e  environment;
        sg_str_t          name, value;
        const char       *key, *receipt;
    } rows[] = {
        { sg_env_live, sg_string("default"), sg_string("client-1"),
          PREFIX "{live:client-1}:limit:default",
          PREFIX "{live:client-1}:paid:t" },
        { sg_env_sandbox, sg_string("a"), sg_string(""),
          PREFIX "{sandbox:}:limit:a", PREFIX "{sandbox:}:paid:t" },
        { sg_env_live, sg_string("a%*"), sg_string("a}b{c:d"),
          PREFIX "{live:a%7Db%7Bc%3Ad}:limit:a%25%2A",
          PREFIX "{live:a%7Db%7Bc%3Ad}:paid:t" },
        { sg_env_live, sg_string("a"), sg_string("\0\n\xc3\xa9"),
          PREFIX "{live:%00%0A%C3%A9}:limit:a",
          PREFIX "{live:%00%0A%C3%A9}:paid:t" }
    };

    size_t    i;
    sg_buf_t  key, receipt;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        sg_buf_init(&key);
        sg_buf_init(&receipt);

        sg_limit_key(&key, STR(PREFIX), rows[i].environment, rows[i].name,
                     rows[i].value);
        sg_limit_receipt(&receipt, buf_str(&key), STR("t"));

        check_buf(rows[i].key, &key, rows[i].key);
        check_buf(rows[i].receipt, &receipt, rows[i].receipt);

        sg_buf_free(&key);
        sg_buf_free(&receipt);
    }
}


/* limits among themselves, and limits, receipts and records */

static void
keys_never_meet(void **state)
{
    static const char *const  parts[] = {
        "", "a", "limit", "limit:a", "}:limit:a", "a}:limit:b", "paid",
        "create", "a:b", ":", "{}", "%", "%7D", "default", "live", "sandbox",
        "\xff"
    };

    size_t            i, j, k, n;
    sg_buf_t         *names;
    sg_environment_e  env;

    (void) state;

    n = 0;
    names = calloc(2 * 3 * N(parts) * N(parts), sizeof(sg_buf_t));
    assert_non_null(names);

    for (env = sg_env_live; env <= sg_env_sandbox; env++) {
        for (i = 0; i < N(parts); i++) {
            for (j = 0; j < N(parts); j++) {
                sg_limit_key(&names[n++], STR(PREFIX), env, str(parts[j]),
                             str(parts[i]));
                sg_record_name(&names[n++], STR(PREFIX), env, str(parts[i]),
                               sg_op_create, str(parts[j]));

                /* a token is of hexadecimal digits */

                if (j == 1) {
                    sg_limit_receipt(&names[n], buf_str(&names[n - 1]),
                                     str(parts[j]));
                    n++;
                }
            }
        }
    }

    for (i = 0; i < n; i++) {
        for (k = i + 1; k < n; k++) {
            if (sg_str_eq(buf_str(&names[i]), buf_str(&names[k]))) {
                fail_msg("two names are \"%.*s\"", (int) names[i].len,
                         (const char *) names[i].data);
            }
        }
    }

    for (i = 0; i < n; i++) {
        sg_buf_free(&names[i]);
    }

    free(names);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rates),
        cmocka_unit_test(wrong_rates),
        cmocka_unit_test(bursts),
        cmocka_unit_test(largest),
        cmocka_unit_test(windows),
        cmocka_unit_test(limit_names),
        cmocka_unit_test(keys),
        cmocka_unit_test(keys_never_meet)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
