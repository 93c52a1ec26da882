
#include "test.h"

#include "contract/sg_secret.h"


static void
key_files(void **state)
{
    static const struct {
        sg_str_t          file;
        sg_secret_e       rc;
        const char       *key;
        sg_environment_e  environment;
    } rows[] = {
        { sg_string("sk_abc"), sg_secret_ok, "sk_abc", sg_env_live },
        { sg_string("sk_abc\n"), sg_secret_ok, "sk_abc", sg_env_live },
        { sg_string("\r\n \tsk_abc \r\n\n"), sg_secret_ok, "sk_abc",
          sg_env_live },
        { sg_string("test_sk_abc"), sg_secret_ok, "test_sk_abc",
          sg_env_sandbox },
        { sg_string("sk_test_sk_a"), sg_secret_ok, "sk_test_sk_a",
          sg_env_live },
        { sg_string("sk_aZ09-._~+/=="), sg_secret_ok, "sk_aZ09-._~+/==",
          sg_env_live },

        { { NULL, 0 }, sg_secret_empty, NULL, 0 },
        { sg_string(" \r\n\t"), sg_secret_empty, NULL, 0 },

        { sg_string("sk_"), sg_secret_prefix, NULL, 0 },
        { sg_string("sk_\n"), sg_secret_prefix, NULL, 0 },
        { sg_string("test_sk_"), sg_secret_prefix, NULL, 0 },
        { sg_string("SK_abc"), sg_secret_prefix, NULL, 0 },
        { sg_string("test_abc"), sg_secret_prefix, NULL, 0 },
        { sg_string("Bearer sk_abc"), sg_secret_prefix, NULL, 0 },
        { sg_string("\xef\xbb\xbfsk_abc"), sg_secret_prefix, NULL, 0 },
        { sg_string("\"sk_abc\""), sg_secret_prefix, NULL, 0 },
        { sg_string("s"), sg_secret_prefix, NULL, 0 },

        { sg_string("sk_abc\nsk_def\n"), sg_secret_syntax, NULL, 0 },
        { sg_string("sk_abc def"), sg_secret_syntax, NULL, 0 },
        { sg_string("sk_a=b"), sg_secret_syntax, NULL, 0 },
        { sg_string("sk_abc\0"), sg_secret_syntax, NULL, 0 },
        { sg_string("sk_a\0c"), sg_secret_syntax, NULL, 0 },
        { sg_string("sk_a\"c"), sg_secret_syntax, NULL, 0 },
        { sg_string("sk_\xc3\xa9"), sg_secret_syntax, NULL, 0 }
    };

    char              row[16];
    size_t            i;
    sg_str_t          exact, key;
    sg_environment_e  environment;

    (void) state;

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        exact = str_exact(rows[i].file);
        check_int(row, sg_secret_parse(exact, &key, &environment),
                  rows[i].rc);

        if (rows[i].rc == sg_secret_ok) {
            check_str(row, key, rows[i].key);
            check_int(row, environment, rows[i].environment);
        }

        str_exact_free(exact);
    }
}


static void
environment_names(void **state)
{
    (void) state;

    assert_string_equal(sg_environment_name(sg_env_live), "live");
    assert_string_equal(sg_environment_name(sg_env_sandbox), "sandbox");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(key_files),
        cmocka_unit_test(environment_names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
