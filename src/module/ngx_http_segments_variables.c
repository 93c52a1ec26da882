
/*
 * What an operator can log.
 */


#include "module/ngx_http_segments_variables.h"
#include "contract/sg_version.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"


static ngx_int_t ngx_http_segments_operation_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_segments_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_segments_record_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_segments_redis_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_segments_rate_limit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_segments_contract_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_segments_version_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_segments_set_variable(ngx_http_variable_value_t *v,
    const char *text);
static ngx_uint_t ngx_http_segments_client_variable(ngx_str_t *name);


static ngx_http_variable_t  ngx_http_segments_vars[] = {

    { ngx_string("segments_operation"), NULL,
      ngx_http_segments_operation_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("segments_outcome"), NULL,
      ngx_http_segments_outcome_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("segments_idempotency_record"), NULL,
      ngx_http_segments_record_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("segments_redis_time"), NULL,
      ngx_http_segments_redis_time_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("segments_rate_limit_status"), NULL,
      ngx_http_segments_rate_limit_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("segments_contract"), NULL,
      ngx_http_segments_contract_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("segments_version"), NULL,
      ngx_http_segments_version_variable, 0, 0, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_segments_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_segments_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_operation_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx == NULL || !ctx->routed) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_segments_set_variable(v,
                                   sg_operation_name(ctx->route.operation));

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_outcome_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t  outcome;

    outcome = ngx_http_segments_outcome(r);

    if (outcome == NGX_DECLINED) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_segments_set_variable(v, ngx_http_segments_outcome_name(outcome));

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_outcome(ngx_http_request_t *r)
{
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_loc_conf_t  *slcf;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx) {

        /* answered after all, by a place that a redirect has led to */

        if (ctx->outcome == ngx_http_segments_aborted && r->header_sent) {
            return NGX_DECLINED;
        }

        return ctx->outcome;
    }

    /* a client may leave, or fall silent, before its request comes to us */

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    if (slcf->enable && r == r->main
        && (r->headers_out.status == NGX_HTTP_CLIENT_CLOSED_REQUEST
            || r->headers_out.status == NGX_HTTP_REQUEST_TIME_OUT))
    {
        return ngx_http_segments_aborted;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_segments_record_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx == NULL || ctx->record.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ctx->record.data;
    v->len = ctx->record.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_redis_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                   *p;
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx == NULL || (ctx->record.len == 0 && ctx->limits == NULL)) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(p, "%T.%03M", (time_t) ctx->redis_time / 1000,
                         ctx->redis_time % 1000)
             - p;
    v->data = p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_rate_limit_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx == NULL || ctx->limits == NULL || ctx->limits->status == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_segments_set_variable(v, ctx->limits->status);

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_contract_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const char               *word;
    ngx_http_segments_ctx_t  *ctx;

    ctx = ngx_http_segments_get_ctx(r);

    if (ctx == NULL || ctx->sample == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    word = ngx_http_segments_compared_name(ctx->sample->compared);

    ngx_http_segments_set_variable(v, word);

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_version_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_segments_set_variable(v, SG_VERSION);

    return NGX_OK;
}


static void
ngx_http_segments_set_variable(ngx_http_variable_value_t *v, const char *text)
{
    v->data = (u_char *) text;
    v->len = ngx_strlen(text);
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


ngx_int_t
ngx_http_segments_client_variables(ngx_conf_t *cf)
{
    ngx_uint_t                     *index, i;
    ngx_http_variable_t            *v;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_segments_main_conf_t  *smcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (!ngx_http_segments_client_variable(&v[i].name)) {
            continue;
        }

        index = ngx_array_push(&smcf->client_vars);
        if (index == NULL) {
            return NGX_ERROR;
        }

        *index = i;
    }

    return NGX_OK;
}


/* the name of an indexed variable ends where its length says, not in a NUL */

static ngx_uint_t
ngx_http_segments_client_variable(ngx_str_t *name)
{
    ngx_uint_t  i;

    static ngx_str_t  prefixes[] = {
        ngx_string("http_"),
        ngx_string("cookie_"),
        ngx_string("request_uri")
    };

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (name->len >= prefixes[i].len
            && ngx_strncmp(name->data, prefixes[i].data, prefixes[i].len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
