
/*
 * The order of filters: an answer is to be stored as the upstream sent it.
 *
 * What another module's filter has done to it before it comes to ours is done
 * once more to a replay.  nginx runs filters in the reverse order of their
 * modules, so that such a module is one of those between this one and the copy
 * filter, where those loaded behind us are put.  Whether one of them has a
 * filter in this configuration cannot be known: nginx keeps no list, and some
 * do not even set theirs up while a configuration is only tested.
 */


#include "module/ngx_http_segments_order.h"
#include "life/ngx_http_segments_conf.h"


static ngx_module_t **ngx_http_segments_neighbours(ngx_conf_t *cf,
    ngx_uint_t *n);


void
ngx_http_segments_check_order(ngx_conf_t *cf)
{
    ngx_uint_t           i, n;
    ngx_module_t       **modules;
    ngx_http_module_t   *module;

    modules = ngx_http_segments_neighbours(cf, &n);

    for (i = 0; i < n; i++) {

        if (modules[i]->type != NGX_HTTP_MODULE) {
            continue;
        }

        module = modules[i]->ctx;

        if (module->postconfiguration) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "module \"%s\" is loaded behind \"%s\": what "
                               "its filters do to an answer is stored, and "
                               "done again to a replay; load it before",
                               modules[i]->name,
                               ngx_http_segments_module.name);
        }
    }
}


static ngx_module_t **
ngx_http_segments_neighbours(ngx_conf_t *cf, ngx_uint_t *n)
{
    ngx_uint_t      i;
    ngx_module_t  **modules;

    modules = cf->cycle->modules;

    while (*modules++ != &ngx_http_segments_module) { /* void */ }

    *n = 0;

    for (i = 0; modules[i]; i++) {
        if (ngx_strcmp(modules[i]->name, "ngx_http_copy_filter_module") == 0) {
            *n = i;
            break;
        }
    }

    return modules;
}
