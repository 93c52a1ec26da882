
/*
 * The project's Secret Key and the environment that it selects.
 */

#include "contract/sg_secret.h"

#include <string.h>


static sg_str_t sg_secret_trim(sg_str_t file);
static int sg_secret_starts(sg_str_t key, sg_str_t prefix);
static int sg_secret_is_b64token(sg_str_t key);


static const sg_str_t  sg_live_prefix = sg_string("sk_");
static const sg_str_t  sg_sandbox_prefix = sg_string("test_sk_");


sg_secret_e
sg_secret_parse(sg_str_t file, sg_str_t *key, sg_environment_e *environment)
{
    file = sg_secret_trim(file);

    if (file.len == 0) {
        return sg_secret_empty;
    }

    if (sg_secret_starts(file, sg_live_prefix)) {
        *environment = sg_env_live;

    } else if (sg_secret_starts(file, sg_sandbox_prefix)) {
        *environment = sg_env_sandbox;

    } else {
        return sg_secret_prefix;
    }

    if (!sg_secret_is_b64token(file)) {
        return sg_secret_syntax;
    }

    *key = file;

    return sg_secret_ok;
}


static sg_str_t
sg_secret_trim(sg_str_t file)
{
    static const char  space[] = " \t\r\n\v\f";

    while (file.len && memchr(space, file.data[0], sizeof(space) - 1)) {
        file.data++;
        file.len--;
    }

    while (file.len && memchr(space, file.data[file.len - 1],
                              sizeof(space) - 1))
    {
        file.len--;
    }

    return file;
}


static int
sg_secret_starts(sg_str_t key, sg_str_t prefix)
{
    return key.len > prefix.len
           && memcmp(key.data, prefix.data, prefix.len) == 0;
}


static int
sg_secret_is_b64token(sg_str_t key)
{
    size_t         i;
    unsigned char  ch;

    while (key.len && key.data[key.len - 1] == '=') {
        key.len--;
    }

    for (i = 0; i < key.len; i++) {
        ch = key.data[i];

        if (!((ch >= 'a' && ch <= 'z')
              || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9')
              || (ch && strchr("-._~+/", ch))))
        {
            return 0;
        }
    }

    return 1;
}


const char *
sg_environment_name(sg_environment_e environment)
{
    return environment == sg_env_live ? "live" : "sandbox";
}
