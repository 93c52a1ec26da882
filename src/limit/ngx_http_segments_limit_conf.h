
/*
 * The directive segments_rate_limit.
 */

#ifndef _NGX_HTTP_SEGMENTS_LIMIT_CONF_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LIMIT_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "record/ngx_redis_limit.h"
#include "record/ngx_http_segments_store.h"
#include "contract/sg_limit.h"


/* what segments_rate_limit says */
typedef struct {
    ngx_str_t                       name;
    ngx_str_t                       text;       /* of key=, empty: none */
    ngx_http_complex_value_t       *key;        /* NULL: one bucket */
    sg_limit_t                      rate;
    ngx_str_t                       args[NGX_REDIS_LIMIT_ARGS];
} ngx_http_segments_limit_t;


typedef struct {
    ngx_array_t                    *limits;     /* ngx_http_segments_limit_t, or
                                                   NULL */
    ngx_flag_t                      dry_run;
    ngx_uint_t                      log_level;
} ngx_http_segments_limit_conf_t;


/* where the buckets of a limit are: must be one rate, burst and key */
typedef struct {
    ngx_http_segments_store_t      *store;
    ngx_http_segments_limit_t      *limit;
} ngx_http_segments_owned_limit_t;


/* the setter; of an ngx_http_segments_limit_conf_t at cmd->offset */
char *ngx_http_segments_rate_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * NGX_ERROR after a sentence: what cannot work, or contradicts itself, or
 * "owned", of ngx_http_segments_owned_limit_t: the limits of other locations
 */
ngx_int_t ngx_http_segments_check_limits(ngx_conf_t *cf,
    ngx_http_segments_limit_conf_t *conf, ngx_http_segments_store_t *store,
    ngx_array_t *owned);


#endif /* _NGX_HTTP_SEGMENTS_LIMIT_CONF_H_INCLUDED_ */
