
/*
 * The proxy module's location configuration.
 *
 * nginx publishes it since 1.29.4.  Before, the structure is private, but a
 * guarded location must know whether proxy_pass has a URI and whom it may
 * reach, so it is repeated here for 1.22 to 1.29.3, in which it did not
 * change.  ngx_http_segments_check_layout() compares it with the offsets that
 * the proxy module itself publishes in its directives.
 */

#ifndef _NGX_HTTP_SEGMENTS_PROXY_CONF_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_PROXY_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#if (nginx_version >= 1029004)

#include <ngx_http_proxy_module.h>

#else

typedef struct {
    ngx_str_t                      key_start;
    ngx_str_t                      schema;
    ngx_str_t                      host_header;
    ngx_str_t                      port;
    ngx_str_t                      uri;
} ngx_http_proxy_vars_t;


typedef struct {
    ngx_array_t                   *flushes;
    ngx_array_t                   *lengths;
    ngx_array_t                   *values;
    ngx_hash_t                     hash;
} ngx_http_proxy_headers_t;


typedef struct {
    ngx_http_upstream_conf_t       upstream;

    ngx_array_t                   *body_flushes;
    ngx_array_t                   *body_lengths;
    ngx_array_t                   *body_values;
    ngx_str_t                      body_source;

    ngx_http_proxy_headers_t       headers;
#if (NGX_HTTP_CACHE)
    ngx_http_proxy_headers_t       headers_cache;
#endif
    ngx_array_t                   *headers_source;

    ngx_array_t                   *proxy_lengths;
    ngx_array_t                   *proxy_values;

    ngx_array_t                   *redirects;
    ngx_array_t                   *cookie_domains;
    ngx_array_t                   *cookie_paths;
    ngx_array_t                   *cookie_flags;

    ngx_http_complex_value_t      *method;
    ngx_str_t                      location;
    ngx_str_t                      url;

#if (NGX_HTTP_CACHE)
    ngx_http_complex_value_t       cache_key;
#endif

    ngx_http_proxy_vars_t          vars;

    ngx_flag_t                     redirect;

    ngx_uint_t                     http_version;
} ngx_http_proxy_loc_conf_t;


extern ngx_module_t  ngx_http_proxy_module;

#endif


#endif /* _NGX_HTTP_SEGMENTS_PROXY_CONF_H_INCLUDED_ */
