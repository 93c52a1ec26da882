
/*
 * What is configured.
 */

#ifndef _NGX_HTTP_SEGMENTS_CONF_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_CONF_H_INCLUDED_


#include "drift/ngx_http_segments_drift_conf.h"
#include "idempotency/ngx_http_segments_idempotency_conf.h"
#include "limit/ngx_http_segments_limit_conf.h"
#include "metrics/ngx_http_segments_zone.h"
#include "record/ngx_http_segments_store.h"
#include "seal/ngx_http_segments_seal.h"
#include "secret/ngx_http_segments_secret.h"
#include "upstream/ngx_http_segments_proxy_conf.h"


/* segments_unknown_fields and segments_redis_failure */
#define NGX_HTTP_SEGMENTS_REJECT          0
#define NGX_HTTP_SEGMENTS_PASS            1


/* one project's records on one Redis: must be one key file */
typedef struct {
    ngx_redis_t                  *redis;
    ngx_str_t                     prefix;
    ngx_http_segments_secret_t   *secret;
    ngx_http_segments_seal_conf_t  *seal;       /* NULL: no location with
                                                   records yet */
    ngx_http_segments_room_t     *room;         /* this worker's, NULL until its
                                                   first request waits */
} ngx_http_segments_tenant_t;


/* the location that a check at the end of the configuration is about */
typedef struct {
    ngx_http_core_srv_conf_t     *cscf;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_log_handler_pt            handler;      /* the log's, meanwhile */
    void                         *data;
} ngx_http_segments_place_t;


typedef struct {
    ngx_array_t                   nodes;        /* ngx_redis_t * */
    ngx_array_t                   secrets;      /* ngx_http_segments_
                                                   secret_t * */
    ngx_array_t                   tenants;      /* ngx_http_segments_
                                                   tenant_t * */
    ngx_array_t                   limits;       /* ngx_http_segments_owned_
                                                   limit_t */
    ngx_array_t                   needed;       /* ngx_http_segments_needed_t:
                                                   by creates */
    ngx_http_segments_seal_files_t  seal_files;
    ngx_http_segments_metrics_conf_t  metrics;
    ngx_http_segments_drift_lines_t  *drift_lines;  /* NULL: no answer is
                                                   compared */
    ngx_array_t                   client_vars;  /* ngx_uint_t: variables that
                                                   show the client's request */
    ngx_http_complex_value_t     *remote_user;  /* the default scope */
    ngx_array_t                   guarded;      /* ngx_http_segments_place_t:
                                                   the guarded locations */
    ngx_http_segments_place_t     shown;        /* where metrics are; cscf is
                                                   NULL: nowhere */
    ngx_http_handler_pt           proxy_handler;    /* proxy_pass's own, where
                                                       it had to be known */
} ngx_http_segments_main_conf_t;


/* of an "upstream" block */
typedef struct {
    ngx_http_upstream_init_peer_pt  init_peer;  /* the balancer's */
} ngx_http_segments_srv_conf_t;


typedef struct {
    ngx_flag_t                    enable;
    ngx_uint_t                    operations;   /* SG_OP() mask */

    ngx_str_t                     secret_file;
    ngx_http_segments_secret_t   *secret;       /* set where enabled */

    ngx_uint_t                    unknown_fields;
    ngx_flag_t                    upstream_insecure;

    ngx_http_segments_store_t     store;
    ngx_uint_t                    redis_failure;
    ngx_http_segments_tenant_t   *tenant;       /* set where enabled, and there
                                                   is a Redis */

    ngx_http_segments_idempotency_conf_t  idempotency;
    ngx_http_segments_seal_conf_t  seal;
    ngx_http_segments_limit_conf_t  limit;
    ngx_http_segments_drift_conf_t  drift;

    ngx_http_segments_meter_t    *meter;        /* NULL: not counted */
    ngx_str_t                     prefix;       /* path of the collection */
    ngx_http_handler_pt           handler;      /* proxy_pass's own */
    ngx_http_proxy_loc_conf_t    *plcf;
    ngx_http_upstream_local_t    *bind;         /* of proxy_bind, or NULL */
} ngx_http_segments_loc_conf_t;


extern ngx_module_t  ngx_http_segments_module;


#endif /* _NGX_HTTP_SEGMENTS_CONF_H_INCLUDED_ */
