
/*
 * The words that limit.lua takes and gives.
 */


#include "ngx_redis_limit.h"


static ngx_str_t  ngx_redis_limits_hows[] = {   /* ngx_redis_limits_how_e */
    ngx_string("spend"),
    ngx_string("dry_run"),
    ngx_string("read")
};


static ngx_str_t  ngx_redis_limits_words[] = {  /* ..._limits_verdict_e */
    ngx_string("read"),
    ngx_string("spent"),
    ngx_string("refused")
};


ngx_uint_t
ngx_redis_limits_add(const ngx_redis_limits_t *limits, ngx_str_t *argv,
    ngx_uint_t argc)
{
    ngx_uint_t  i, n;

    if (limits == NULL || limits->n == 0) {
        return argc;
    }

    ngx_memmove(&argv[1 + limits->n], &argv[1], (argc - 1) * sizeof(ngx_str_t));
    argc += limits->n;

    argv[argc++] = ngx_redis_limits_hows[limits->how];

    for (i = 0; i < limits->n; i++) {
        argv[1 + i] = limits->limit[i].key;

        for (n = 0; n < NGX_REDIS_LIMIT_ARGS; n++) {
            argv[argc++] = limits->limit[i].args[n];
        }
    }

    return argc;
}


ngx_int_t
ngx_redis_limits_decode(const redisReply *told,
    ngx_redis_limits_reply_t *decoded)
{
    ngx_str_t          *word;
    ngx_uint_t          i;
    const redisReply   *left, *reset;

    if (told->elements % 2 == 0
        || told->elements > 1 + 2 * NGX_REDIS_LIMITS_MAX
        || told->element[0]->type != REDIS_REPLY_STRING)
    {
        return NGX_ERROR;
    }

    word = ngx_redis_limits_words;

    for (i = 0; i < sizeof(ngx_redis_limits_words) / sizeof(ngx_str_t); i++) {

        if ((size_t) told->element[0]->len == word[i].len
            && ngx_strncmp(told->element[0]->str, word[i].data, word[i].len)
               == 0)
        {
            break;
        }
    }

    if (i == sizeof(ngx_redis_limits_words) / sizeof(ngx_str_t)) {
        return NGX_ERROR;
    }

    decoded->verdict = (ngx_redis_limits_verdict_e) i;
    decoded->n = told->elements / 2;

    for (i = 0; i < decoded->n; i++) {
        left = told->element[1 + 2 * i];
        reset = told->element[2 + 2 * i];

        if (left->type != REDIS_REPLY_INTEGER || left->integer < 0
            || reset->type != REDIS_REPLY_INTEGER || reset->integer < 0)
        {
            return NGX_ERROR;
        }

        decoded->state[i].left = left->integer;
        decoded->state[i].reset = reset->integer;
    }

    return NGX_OK;
}
