
/*
 * The segments gateway: directives and configuration.
 */


#include "module/ngx_http_segments_init.h"
#include "contract/sg_route.h"
#include "contract/sg_version.h"
#include "module/ngx_http_segments_choice.h"
#include "module/ngx_http_segments_configuration.h"
#include "module/ngx_http_segments_content.h"
#include "module/ngx_http_segments_directives.h"
#include "module/ngx_http_segments_directives_redis.h"
#include "module/ngx_http_segments_directives_seal.h"
#include "module/ngx_http_segments_page.h"
#include "module/ngx_http_segments_variables.h"
#include "module/ngx_http_segments_zone_directive.h"


static ngx_conf_enum_t  ngx_http_segments_operation_masks[] = {
    { ngx_string("create"), SG_OP(sg_op_create) },
    { ngx_string("list"), SG_OP(sg_op_list) },
    { ngx_string("list_system"), SG_OP(sg_op_list_system) },
    { ngx_string("get"), SG_OP(sg_op_get) },
    { ngx_string("update"), SG_OP(sg_op_update) },
    { ngx_string("delete"), SG_OP(sg_op_delete) },
    { ngx_string("all"), SG_OP_ALL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_reject_pass[] = {
    { ngx_string("reject"), NGX_HTTP_SEGMENTS_REJECT },
    { ngx_string("pass"), NGX_HTTP_SEGMENTS_PASS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_idempotency[] = {
    { ngx_string("off"), NGX_HTTP_SEGMENTS_OFF },
    { ngx_string("on"), NGX_HTTP_SEGMENTS_ON },
    { ngx_string("required"), NGX_HTTP_SEGMENTS_REQUIRED },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_unknown_policies[] = {
    { ngx_string("retry"), NGX_HTTP_SEGMENTS_RETRY },
    { ngx_string("hold"), NGX_HTTP_SEGMENTS_HOLD },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_upstream_keys[] = {
    { ngx_string("derived"), NGX_HTTP_SEGMENTS_KEY_DERIVED },
    { ngx_string("original"), NGX_HTTP_SEGMENTS_KEY_ORIGINAL },
    { ngx_string("off"), NGX_HTTP_SEGMENTS_KEY_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_segments_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_segments_prefix_post = {
    ngx_http_segments_check_prefix
};


static ngx_conf_post_t  ngx_http_segments_time_post = {
    ngx_http_segments_check_time
};


static ngx_command_t  ngx_http_segments_commands[] = {

    { ngx_string("segments_gateway"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_segments_gateway,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, enable),
      NULL },

    { ngx_string("segments_operations"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_operations,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_segments_operation_masks },

    { ngx_string("segments_secret_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, secret_file),
      NULL },

    { ngx_string("segments_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_segments_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_segments_metrics,
      0,
      0,
      NULL },

    { ngx_string("segments_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_segments_health,
      0,
      0,
      NULL },

    { ngx_string("segments_unknown_fields"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, unknown_fields),
      &ngx_http_segments_reject_pass },

    { ngx_string("segments_upstream_insecure"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, upstream_insecure),
      NULL },

    { ngx_string("segments_redis"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_redis,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_redis_connect_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, store.options.connect_timeout),
      &ngx_http_segments_time_post },

    { ngx_string("segments_redis_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, store.options.timeout),
      &ngx_http_segments_time_post },

    { ngx_string("segments_redis_breaker"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_segments_redis_breaker,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_redis_wait"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_segments_redis_wait,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_redis_failure"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, redis_failure),
      &ngx_http_segments_reject_pass },

    { ngx_string("segments_redis_prefix"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, store.prefix),
      &ngx_http_segments_prefix_post },

    { ngx_string("segments_idempotency"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.mode),
      &ngx_http_segments_idempotency },

    { ngx_string("segments_idempotency_scope"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.scope),
      NULL },

    { ngx_string("segments_idempotency_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.ttl),
      &ngx_http_segments_time_post },

    { ngx_string("segments_idempotency_lease"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.lease),
      &ngx_http_segments_time_post },

    { ngx_string("segments_idempotency_wait"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_segments_idempotency_wait,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_idempotency_unknown"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.unknown),
      &ngx_http_segments_unknown_policies },

    { ngx_string("segments_idempotency_statuses"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_statuses,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_idempotency_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_idempotency_max_response"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.max_response),
      NULL },

    { ngx_string("segments_idempotency_upstream_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, idempotency.upstream_key),
      &ngx_http_segments_upstream_keys },

    { ngx_string("segments_idempotency_encryption"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_idempotency_encryption,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("segments_rate_limit"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_segments_rate_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, limit),
      NULL },

    { ngx_string("segments_rate_limit_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, limit.dry_run),
      NULL },

    { ngx_string("segments_rate_limit_log_level"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_segments_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, limit.log_level),
      &ngx_http_segments_log_levels },

    { ngx_string("segments_contract"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_segments_contract,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_segments_loc_conf_t, drift),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_segments_module_ctx = {
    ngx_http_segments_add_variables,       /* preconfiguration */
    ngx_http_segments_init,                /* postconfiguration */

    ngx_http_segments_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_segments_create_srv_conf,     /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_segments_create_loc_conf,     /* create location configuration */
    ngx_http_segments_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_segments_module = {
    NGX_MODULE_V1,
    &ngx_http_segments_module_ctx,         /* module context */
    ngx_http_segments_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_segments_init_module,         /* init module */
    ngx_http_segments_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_segments_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* for whoever has the file and nothing else: nm -D, strings, a debugger */

extern const char  ngx_http_segments_version[];
const char         ngx_http_segments_version[] = "Segments gateway " SG_VERSION;
