
#include "test.h"

#include "contract/sg_key_text.h"


#define BASE64  "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8"
#define URLSAFE "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8"
#define HEX     "e0e1e2e3e4e5e6e7e8e9eaebecedeeef" \
                "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"


static void
texts(void **state)
{
    static const struct {
        sg_str_t       text;
        sg_key_text_e  rc;
    } rows[] = {
        { sg_string(BASE64 "="), sg_key_text_ok },
        { sg_string(BASE64), sg_key_text_ok },
        { sg_string(URLSAFE "="), sg_key_text_ok },
        { sg_string(URLSAFE), sg_key_text_ok },
        { sg_string(HEX), sg_key_text_ok },
        { sg_string(" \n" BASE64 "=\r\n\n"), sg_key_text_ok },
        { sg_string("\t" HEX "\n"), sg_key_text_ok },

        { { NULL, 0 }, sg_key_text_empty },
        { sg_string(" \r\n\t"), sg_key_text_empty },

        { sg_string("A"), sg_key_text_syntax },
        { sg_string(BASE64 "=="), sg_key_text_syntax },
        { sg_string(BASE64 "=\n" BASE64 "="), sg_key_text_syntax },
        { sg_string(BASE64 "A"), sg_key_text_syntax },
        { sg_string("=" BASE64), sg_key_text_syntax },
        { sg_string(HEX "0"), sg_key_text_syntax },
        { sg_string(HEX HEX), sg_key_text_syntax },
        { sg_string("0x" HEX), sg_key_text_syntax },
        { sg_string("sk_live_key"), sg_key_text_syntax },

        /* a bit that is left over, a character, a NUL */

        { sg_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="),
          sg_key_text_syntax },
        { sg_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*A="),
          sg_key_text_syntax },
        { sg_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA A="),
          sg_key_text_syntax },
        { sg_string("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0A="),
          sg_key_text_syntax },
        { sg_string("000000000000000000000000000000000000000000000000"
                    "000000000000000g"), sg_key_text_syntax },
        { sg_string("000000000000000000000000000000000000000000000000"
                    "00000000000000\0000"), sg_key_text_syntax },
        { sg_string("000000000000000000000000000000000000000000000000"
                    "00000000000000\0200"), sg_key_text_syntax }
    };

    char           row[16];
    size_t         i, n;
    sg_str_t       exact;
    unsigned char  key[SG_KEY_LEN];

    (void) state;

    for (i = 0; i < N(rows); i++) {
        snprintf(row, sizeof(row), "row %zu", i);

        exact = str_exact(rows[i].text);
        memset(key, 'x', sizeof(key));

        check_int(row, sg_key_text(key, exact), rows[i].rc);

        for (n = 0; n < sizeof(key); n++) {
            check_int(row, key[n], rows[i].rc == sg_key_text_ok
                                   ? 0xe0 + (int) n : 'x');
        }

        str_exact_free(exact);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(texts)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
