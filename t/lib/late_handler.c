
/*
 * Another module, for tests, whose handler answers with 204 in a location.  It
 * is set when locations are merged ("late_handler merge;"), or at the end of
 * the configuration ("late_handler end;").
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_uint_t  when;                   /* 0: never */
} late_conf_t;


static void *late_create_conf(ngx_conf_t *cf);
static char *late_merge_conf(ngx_conf_t *cf, void *parent, void *child);
static char *late_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t late_begin(ngx_conf_t *cf);
static ngx_int_t late_end(ngx_conf_t *cf);
static ngx_int_t late_handler(ngx_http_request_t *r);


static ngx_http_core_loc_conf_t  *late_location;


static ngx_command_t  late_commands[] = {

    { ngx_string("late_handler"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      late_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  late_ctx = {
    late_begin, late_end, NULL, NULL, NULL, NULL, late_create_conf,
    late_merge_conf
};


ngx_module_t  late_module = {
    NGX_MODULE_V1,
    &late_ctx,
    late_commands,
    NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};


ngx_module_t  *ngx_modules[] = { &late_module, NULL };
char          *ngx_module_names[] = { "late_module", NULL };
char          *ngx_module_order[] = { NULL };


static ngx_int_t
late_begin(ngx_conf_t *cf)
{
    late_location = NULL;

    return NGX_OK;
}


static void *
late_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(late_conf_t));
}


static char *
late_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    late_conf_t *lcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "merge") == 0) {
        lcf->when = 1;

    } else {
        late_location = ngx_http_conf_get_module_loc_conf(cf,
                                                        ngx_http_core_module);
    }

    return NGX_CONF_OK;
}


static char *
late_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    late_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    if (conf->when) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        clcf->handler = late_handler;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
late_end(ngx_conf_t *cf)
{
    if (late_location) {
        late_location->handler = late_handler;
    }

    return NGX_OK;
}


static ngx_int_t
late_handler(ngx_http_request_t *r)
{
    ngx_http_discard_request_body(r);

    return NGX_HTTP_NO_CONTENT;
}
