
/*
 * The words that limit.lua takes.
 */


#include "record/ngx_redis_limit.h"


static ngx_str_t  ngx_redis_limits_hows[] = {
    [ngx_redis_limits_spend] = ngx_string("spend"),
    [ngx_redis_limits_dry_run] = ngx_string("dry_run"),
    [ngx_redis_limits_look] = ngx_string("read")
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
