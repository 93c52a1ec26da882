
/*
 * The directive segments_rate_limit.
 */


#include "limit/ngx_http_segments_limit_conf.h"
#include "message/ngx_http_segments_text.h"


#define ngx_http_segments_refuse_limit(cf, ...)                               \
    (ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, __VA_ARGS__), NGX_CONF_ERROR)


static char *ngx_http_segments_limit_parameter(ngx_conf_t *cf,
    ngx_http_segments_limit_t *limit, ngx_str_t *word);
static char *ngx_http_segments_limit_value(ngx_conf_t *cf,
    ngx_http_segments_limit_t *limit, ngx_uint_t which, ngx_str_t *value);
static char *ngx_http_segments_limit_compile(ngx_conf_t *cf,
    ngx_http_segments_limit_t *limit, ngx_str_t *text);
static char *ngx_http_segments_limit_finish(ngx_conf_t *cf,
    ngx_array_t *limits, ngx_http_segments_limit_t *limit);
static ngx_int_t ngx_http_segments_limit_args(ngx_conf_t *cf,
    ngx_http_segments_limit_t *limit);
static ngx_int_t ngx_http_segments_check_limit(ngx_conf_t *cf,
    ngx_http_segments_store_t *store, ngx_http_segments_limit_t *limit,
    ngx_array_t *limits);
static ngx_uint_t ngx_http_segments_same_bucket(
    ngx_http_segments_owned_limit_t *one,
    ngx_http_segments_owned_limit_t *other);
static ngx_uint_t ngx_http_segments_same_rate(ngx_http_segments_limit_t *one,
    ngx_http_segments_limit_t *other);


/* an array without elements is "off" */

char *
ngx_http_segments_rate_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    char                            *rv;
    ngx_str_t                       *value;
    ngx_uint_t                       i, off;
    ngx_http_segments_limit_t       *limit;
    ngx_http_segments_limit_conf_t  *lcf;

    value = cf->args->elts;

    lcf = (ngx_http_segments_limit_conf_t *) (p + cmd->offset);

    off = (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0);

    if (lcf->limits == NGX_CONF_UNSET_PTR) {
        lcf->limits = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_segments_limit_t));
        if (lcf->limits == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (off || lcf->limits->nelts == 0) {
        return "cannot be \"off\" beside another one";
    }

    if (off) {
        return NGX_CONF_OK;
    }

    if (lcf->limits->nelts == NGX_REDIS_LIMITS_MAX) {
        return "stands too often: a create has at most 8 limits";
    }

    limit = ngx_array_push(lcf->limits);
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(limit, sizeof(ngx_http_segments_limit_t));

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_segments_limit_parameter(cf, limit, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return ngx_http_segments_limit_finish(cf, lcf->limits, limit);
}


static char *
ngx_http_segments_limit_parameter(ngx_conf_t *cf,
    ngx_http_segments_limit_t *limit, ngx_str_t *word)
{
    ngx_str_t   value;
    ngx_uint_t  given, i;

    static const ngx_str_t  names[] = {
        ngx_string("rate="), ngx_string("burst="), ngx_string("key="),
        ngx_string("name=")
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (word->len >= names[i].len
            && ngx_strncmp(word->data, names[i].data, names[i].len) == 0)
        {
            value.data = word->data + names[i].len;
            value.len = word->len - names[i].len;
            break;
        }
    }

    switch (i) {

    case 0:
        given = (limit->rate.n != 0);
        break;

    case 1:
        given = (limit->rate.quota != 0);
        break;

    case 2:
        given = (limit->key != NULL);
        break;

    case 3:
        given = (limit->name.len != 0);
        break;

    default:
        return ngx_http_segments_refuse_limit(cf,
                   "invalid parameter \"%V\" of \"segments_rate_limit\"", word);
    }

    if (given) {
        return ngx_http_segments_refuse_limit(cf,
                   "duplicate parameter \"%V\" of \"segments_rate_limit\"",
                   word);
    }

    return (i == 2) ? ngx_http_segments_limit_compile(cf, limit, &value)
                    : ngx_http_segments_limit_value(cf, limit, i, &value);
}


/* "which" counts from rate */

static char *
ngx_http_segments_limit_value(ngx_conf_t *cf, ngx_http_segments_limit_t *limit,
    ngx_uint_t which, ngx_str_t *value)
{
    sg_str_t  text;

    text = ngx_http_segments_text(value);

    switch (which) {

    case 0:

        if (sg_limit_rate(&limit->rate, text) == 0) {
            return NGX_CONF_OK;
        }

        return ngx_http_segments_refuse_limit(cf,
                   "invalid rate \"%V\": expected a number from 1 to %d and "
                   "\"r/s\", \"r/m\", \"r/h\" or \"r/d\"",
                   value, SG_LIMIT_RATE_MAX);

    case 1:

        if (sg_limit_burst(&limit->rate, text) == 0) {
            return NGX_CONF_OK;
        }

        return ngx_http_segments_refuse_limit(cf,
                   "invalid burst \"%V\": expected a number from 0 to %d",
                   value, SG_LIMIT_BURST_MAX);

    default: /* name */

        if (sg_limit_name_ok(text)) {
            limit->name = *value;
            return NGX_CONF_OK;
        }

        return ngx_http_segments_refuse_limit(cf,
                   "invalid name \"%V\" of a limit: expected letters, digits "
                   "and !#$%%&'*+-.^_`|~, at most %d of them",
                   value, SG_LIMIT_NAME_MAX);
    }
}


static char *
ngx_http_segments_limit_compile(ngx_conf_t *cf,
    ngx_http_segments_limit_t *limit, ngx_str_t *text)
{
    ngx_http_compile_complex_value_t  ccv;

    if (text->len == 0) {
        return "has an empty key, by which nothing is limited: leave \"key=\" "
               "out to limit all creates together";
    }

    limit->text = *text;

    limit->key = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (limit->key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = limit->key;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


static char *
ngx_http_segments_limit_finish(ngx_conf_t *cf, ngx_array_t *limits,
    ngx_http_segments_limit_t *limit)
{
    ngx_uint_t                  i;
    ngx_http_segments_limit_t  *other;

    if (limit->rate.n == 0) {
        return "needs \"rate=\", as in \"rate=60r/m\"";
    }

    if (limit->rate.quota == 0) {
        limit->rate.quota = 1;
    }

    if (limit->name.len == 0) {
        ngx_str_set(&limit->name, "default");
    }

    other = limits->elts;

    for (i = 0; i < limits->nelts - 1; i++) {
        if (ngx_http_segments_same_text(&other[i].name, &limit->name)) {
            return ngx_http_segments_refuse_limit(cf,
                       "limit \"%V\" is duplicate: give each limit a \"name=\" "
                       "of its own", &limit->name);
        }
    }

    return ngx_http_segments_limit_args(cf, limit) == NGX_OK ? NGX_CONF_OK
                                                             : NGX_CONF_ERROR;
}


/* what limit.lua gets with every create */

static ngx_int_t
ngx_http_segments_limit_args(ngx_conf_t *cf, ngx_http_segments_limit_t *limit)
{
    u_char             *p;
    ngx_uint_t          i;
    unsigned long long  n[NGX_REDIS_LIMIT_ARGS];

    n[0] = limit->rate.n;
    n[1] = limit->rate.period;
    n[2] = limit->rate.quota;

    for (i = 0; i < NGX_REDIS_LIMIT_ARGS; i++) {

        p = ngx_pnalloc(cf->pool, NGX_INT64_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        limit->args[i].data = p;
        limit->args[i].len = ngx_sprintf(p, "%uL", (uint64_t) n[i]) - p;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_check_limits(ngx_conf_t *cf,
    ngx_http_segments_limit_conf_t *conf, ngx_http_segments_store_t *store,
    ngx_array_t *owned)
{
    ngx_uint_t                  i;
    ngx_http_segments_limit_t  *limit;

    if (conf->limits == NULL || conf->limits->nelts == 0) {
        return NGX_OK;
    }

    if (store->redis == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"segments_rate_limit\" needs \"segments_redis\": "
                           "name a Redis, or turn the limit off");
        return NGX_ERROR;
    }

    limit = conf->limits->elts;

    for (i = 0; i < conf->limits->nelts; i++) {
        if (ngx_http_segments_check_limit(cf, store, &limit[i], owned)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* two limits of one name would spend from one bucket, each by its own rate */

static ngx_int_t
ngx_http_segments_check_limit(ngx_conf_t *cf,
    ngx_http_segments_store_t *store, ngx_http_segments_limit_t *limit,
    ngx_array_t *limits)
{
    ngx_uint_t                        i;
    ngx_http_segments_owned_limit_t  *owned, own;

    own.store = store;
    own.limit = limit;

    owned = limits->elts;

    for (i = 0; i < limits->nelts; i++) {

        if (!ngx_http_segments_same_bucket(&owned[i], &own)) {
            continue;
        }

        if (ngx_http_segments_same_rate(owned[i].limit, limit)) {
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "limit \"%V\" has two rates, bursts or keys on one "
                           "Redis: give each limit a \"name=\" of its own",
                           &limit->name);
        return NGX_ERROR;
    }

    owned = ngx_array_push(limits);
    if (owned == NULL) {
        return NGX_ERROR;
    }

    *owned = own;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_segments_same_bucket(ngx_http_segments_owned_limit_t *one,
    ngx_http_segments_owned_limit_t *other)
{
    return ngx_redis_same(one->store->redis, other->store->redis)
           && one->store->environment == other->store->environment
           && ngx_http_segments_same_text(&one->store->prefix,
                                          &other->store->prefix)
           && ngx_http_segments_same_text(&one->limit->name,
                                          &other->limit->name);
}


static ngx_uint_t
ngx_http_segments_same_rate(ngx_http_segments_limit_t *one,
    ngx_http_segments_limit_t *other)
{
    return one->rate.n == other->rate.n
           && one->rate.period == other->rate.period
           && one->rate.quota == other->rate.quota
           && ngx_http_segments_same_text(&one->text, &other->text);
}
