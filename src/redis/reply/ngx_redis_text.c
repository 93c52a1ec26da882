
/*
 * Words in a text that may hold any byte.
 */


#include "redis/reply/ngx_redis_text.h"


int
ngx_redis_contains(const char *s, size_t len, const char *word)
{
    size_t  i, n;

    n = strlen(word);

    for (i = 0; i + n <= len; i++) {
        if (memcmp(s + i, word, n) == 0) {
            return 1;
        }
    }

    return 0;
}
