
/*
 * What answers in a guarded location: proxy_pass, and nothing else.
 */


#include "module/ngx_http_segments_content.h"
#include "module/ngx_http_segments_place.h"
#include "request/ngx_http_segments_forward.h"
#include "upstream/ngx_http_segments_proxy.h"


static ngx_int_t ngx_http_segments_refuse_content(ngx_conf_t *cf);
static ngx_int_t ngx_http_segments_check_other(ngx_conf_t *cf,
    const char *module, const char *pass, const char *timeout);
static ngx_int_t ngx_http_segments_proxy_handler(ngx_conf_t *cf,
    ngx_http_handler_pt *handler);


ngx_int_t
ngx_http_segments_check_content(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_segments_main_conf_t  *smcf;

    static const struct {
        const char  *module;
        const char  *pass;
        const char  *timeout;
    } others[] = {
        { "ngx_http_fastcgi_module", "fastcgi_pass", "fastcgi_read_timeout" },
        { "ngx_http_uwsgi_module", "uwsgi_pass", "uwsgi_read_timeout" },
        { "ngx_http_scgi_module", "scgi_pass", "scgi_read_timeout" },
        { "ngx_http_grpc_module", "grpc_pass", "grpc_read_timeout" },
        { "ngx_http_memcached_module", "memcached_pass",
          "memcached_read_timeout" }
    };

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {

        if (ngx_http_segments_check_other(cf, others[i].module, others[i].pass,
                                          others[i].timeout)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (smcf->proxy_handler == NULL
        && ngx_http_segments_proxy_handler(cf, &smcf->proxy_handler) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* "if" may have none of its own */

    if (clcf->handler == NULL || clcf->handler == smcf->proxy_handler) {
        return NGX_OK;
    }

    return ngx_http_segments_refuse_content(cf);
}


static ngx_int_t
ngx_http_segments_refuse_content(ngx_conf_t *cf)
{
    return ngx_http_segments_refuse_conf(cf,
               "another directive than \"proxy_pass\" answers in a guarded "
               "location: remove it");
}


/* most modules are merged behind this one: among filters it comes early */

ngx_int_t
ngx_http_segments_check_handlers(ngx_conf_t *cf)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_http_handler_pt             handler;
    ngx_http_segments_place_t      *place;
    ngx_http_segments_main_conf_t  *smcf;

    smcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_segments_module);

    place = smcf->guarded.elts;

    for (i = 0; i < smcf->guarded.nelts; i++) {

        handler = place[i].clcf->handler;

        if (handler == NULL || handler == ngx_http_segments_forward_handler) {
            continue;
        }

        ngx_http_segments_enter_place(cf->log, &place[i]);

        rc = ngx_http_segments_refuse_content(cf);

        ngx_http_segments_leave_place(cf->log, &place[i]);

        return rc;
    }

    return NGX_OK;
}


/* one that "proxy_pass" has followed is refused, too: somebody meant it */

static ngx_int_t
ngx_http_segments_check_other(ngx_conf_t *cf, const char *module,
    const char *pass, const char *timeout)
{
    char                      *conf;
    ngx_uint_t                 i;
    ngx_module_t             **modules;
    ngx_command_t             *cmd;
    ngx_http_conf_ctx_t       *ctx;
    ngx_http_upstream_conf_t  *u;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (modules[i]->type != NGX_HTTP_MODULE
            || ngx_strcmp(modules[i]->name, module) != 0)
        {
            continue;
        }

        /* the structure is the module's own, but for where this one stands */

        cmd = ngx_http_segments_command(modules[i], timeout);

        if (cmd == NULL || cmd->set != ngx_conf_set_msec_slot) {
            return NGX_OK;
        }

        ctx = cf->ctx;
        conf = ctx->loc_conf[modules[i]->ctx_index];

        u = (ngx_http_upstream_conf_t *)
                (conf + cmd->offset
                 - offsetof(ngx_http_upstream_conf_t, read_timeout));

        if (u->upstream) {
            return ngx_http_segments_refuse_conf(cf,
                       "\"%s\" cannot be used in a guarded location, beside "
                       "\"proxy_pass\" or in place of it", pass);
        }

        return NGX_OK;
    }

    return NGX_OK;
}


/*
 * The proxy module keeps its handler to itself, but gives it to every location
 * with a "proxy_pass": so it gets one that no request will ever find.
 */

static ngx_int_t
ngx_http_segments_proxy_handler(ngx_conf_t *cf, ngx_http_handler_pt *handler)
{
    void                      *plcf;
    ngx_conf_t                 conf;
    ngx_array_t                args;
    ngx_command_t             *cmd;
    ngx_http_module_t         *core, *proxy;
    ngx_http_conf_ctx_t        ctx;
    ngx_http_core_loc_conf_t  *clcf;

    /* a variable that exists in any case, and no server that has to */

    ngx_str_t  words[] = {
        ngx_string("proxy_pass"),
        ngx_string("$proxy_host")
    };

    core = ngx_http_core_module.ctx;
    proxy = ngx_http_proxy_module.ctx;
    cmd = ngx_http_segments_command(&ngx_http_proxy_module, "proxy_pass");

    ctx = *(ngx_http_conf_ctx_t *) cf->ctx;
    ctx.loc_conf = ngx_pcalloc(cf->pool, ngx_http_max_module * sizeof(void *));
    clcf = core->create_loc_conf(cf);
    plcf = proxy->create_loc_conf(cf);

    if (ctx.loc_conf == NULL || clcf == NULL || plcf == NULL) {
        return NGX_ERROR;
    }

    ctx.loc_conf[ngx_http_core_module.ctx_index] = clcf;
    ctx.loc_conf[ngx_http_proxy_module.ctx_index] = plcf;

    ngx_memzero(&args, sizeof(ngx_array_t));

    args.elts = words;
    args.nelts = sizeof(words) / sizeof(words[0]);

    conf = *cf;
    conf.ctx = &ctx;
    conf.args = &args;

    if (cmd == NULL || cmd->set(&conf, cmd, plcf) != NGX_CONF_OK
        || clcf->handler == NULL)
    {
        return ngx_http_segments_refuse_conf(cf,
                   "the proxy module of this nginx does not say how it "
                   "answers: it is not one that this module knows");
    }

    *handler = clcf->handler;

    return NGX_OK;
}
