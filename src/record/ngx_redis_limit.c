
/*
 * The words that limit.lua takes.
 */


#include "record/ngx_redis_limit.h"


static ngx_str_t  ngx_redis_limits_hows[] = {
    [ngx_redis_limits_spend] = ngx_string("spend"),
    [ngx_redis_limits_dry_run] = ngx_string("dry_run"),
    [ngx_redis_limits_look] = ngx_string("read")
};


void
ngx_redis_limits_add(const ngx_redis_limits_t *limits,
    ngx_redis_phrase_t *phrase)
{
    ngx_str_t   *word;
    ngx_uint_t   i, n;

    if (limits == NULL || limits->n == 0) {
        return;
    }

    word = phrase->word;

    ngx_memmove(&word[1 + limits->n], &word[1],
                (phrase->n - 1) * sizeof(ngx_str_t));

    phrase->n += limits->n;
    phrase->nkeys += limits->n;

    if (phrase->parted < NGX_REDIS_WORDS) {
        phrase->parted += limits->n;
    }

    word[phrase->n++] = ngx_redis_limits_hows[limits->how];

    for (i = 0; i < limits->n; i++) {
        word[1 + i] = limits->limit[i].key;

        phrase->several |= (word[1 + i].len != word[0].len
                            || ngx_memcmp(word[1 + i].data, word[0].data,
                                          word[0].len)
                               != 0);

        for (n = 0; n < NGX_REDIS_LIMIT_ARGS; n++) {
            word[phrase->n++] = limits->limit[i].args[n];
        }
    }
}
