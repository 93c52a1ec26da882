
/*
 * The proxy module: how it is laid out, and what it must not be told in a
 * guarded location.
 */


#include "upstream/ngx_http_segments_proxy.h"
#include "contract/sg_headers.h"
#include "message/ngx_http_segments_text.h"


ngx_command_t *
ngx_http_segments_command(ngx_module_t *module, const char *name)
{
    ngx_command_t  *cmd;

    for (cmd = module->commands; cmd->name.len; cmd++) {
        if (ngx_strcmp(cmd->name.data, name) == 0) {
            return cmd;
        }
    }

    return NULL;
}


/* whether the proxy module is laid out as this module was built to believe */

ngx_int_t
ngx_http_segments_check_layout(ngx_conf_t *cf)
{
    ngx_uint_t      i;
    ngx_command_t  *cmd;

    static const struct {
        const char  *name;
        ngx_uint_t   offset;
    } fields[] = {
        { "proxy_set_body",
          offsetof(ngx_http_proxy_loc_conf_t, body_source) },
        { "proxy_set_header",
          offsetof(ngx_http_proxy_loc_conf_t, headers_source) },
        { "proxy_method",
          offsetof(ngx_http_proxy_loc_conf_t, method) },
        { "proxy_http_version",
          offsetof(ngx_http_proxy_loc_conf_t, http_version) }
    };

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        cmd = ngx_http_segments_command(&ngx_http_proxy_module,
                                        fields[i].name);

        if (cmd == NULL || cmd->offset != fields[i].offset) {
            return ngx_http_segments_refuse_conf(cf,
                       "segments_gateway was built for another proxy module: "
                       "build it against this nginx");
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_check_proxy(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf)
{
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_upstream_conf_t  *u;

    u = &plcf->upstream;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (u->upstream == NULL && plcf->proxy_lengths == NULL) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"segments_gateway\" needs \"proxy_pass\" in its location");
    }

    if (plcf->vars.uri.len) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_pass\" must not have a URI in a guarded location: "
                   "the gateway makes the path, remove \"%V\"",
                   &plcf->vars.uri);
    }

    if (!u->pass_request_headers) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_pass_request_headers off\" in a guarded location "
                   "would hold back the Secret Key");
    }

    if (!u->pass_request_body || plcf->body_source.data) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"%s\" in a guarded location would forward another body "
                   "than the one that was validated",
                   plcf->body_source.data ? "proxy_set_body"
                                          : "proxy_pass_request_body off");
    }

    if (plcf->method) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_method\" in a guarded location would forward "
                   "another method than the one that was validated");
    }

    if (plcf->http_version > NGX_HTTP_VERSION_11) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_http_version %ui\" in a guarded location would "
                   "write the Secret Key of an invalid answer to error_log",
                   plcf->http_version / 1000);
    }

#if (NGX_HTTP_CACHE)
    if (u->cache) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_cache\" cannot be used in a guarded location");
    }
#endif

    if (u->store) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_store\" cannot be used in a guarded location");
    }

    if (u->intercept_errors) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_intercept_errors on\" in a guarded location would "
                   "act on an answer before it is recorded");
    }

    if (u->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"proxy_next_upstream non_idempotent\" in a guarded "
                   "location could create a segment twice");
    }

    if (clcf->post_action.data) {
        return ngx_http_segments_refuse_conf(cf,
                   "\"post_action\" cannot be used in a guarded location");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_segments_check_proxy_headers(ngx_conf_t *cf,
    ngx_http_proxy_loc_conf_t *plcf)
{
    sg_str_t       name;
    ngx_uint_t     i, n;
    ngx_keyval_t  *header;

    static const sg_str_t  ours[] = {
        sg_string("Authorization"),
        sg_string("Idempotency-Key"),
        sg_string("Content-Type"),
        sg_string("Content-Length"),
        sg_string("Content-Encoding"),
        sg_string("Transfer-Encoding"),
        sg_string("Accept-Encoding"),
        sg_string("Cookie")
    };

    if (plcf->headers_source == NULL) {
        return NGX_OK;
    }

    header = plcf->headers_source->elts;

    for (i = 0; i < plcf->headers_source->nelts; i++) {

        name = ngx_http_segments_text(&header[i].key);

        for (n = 0; n < sizeof(ours) / sizeof(ours[0]); n++) {

            if (sg_header_is(name, ours[n])) {
                return ngx_http_segments_refuse_conf(cf,
                           "\"proxy_set_header %V\" cannot be used in a "
                           "guarded location: the gateway decides on this "
                           "header", &header[i].key);
            }
        }
    }

    return NGX_OK;
}
