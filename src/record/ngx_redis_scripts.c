
/*
 * The scripts.
 */


#include "record/ngx_redis_scripts.h"
#include "ngx_redis_claim_lua.h"        /* each made from its .lua */
#include "ngx_redis_drop_lua.h"
#include "ngx_redis_free_lua.h"
#include "ngx_redis_limit_lua.h"
#include "ngx_redis_renew_lua.h"
#include "ngx_redis_settle_lua.h"
#include "ngx_redis_spend_lua.h"


ngx_redis_script_t  ngx_redis_claim_script = {
    "claim", NGX_REDIS_FREE_LUA NGX_REDIS_CLAIM_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_limited_script = {
    "limited claim", NGX_REDIS_LIMIT_LUA NGX_REDIS_CLAIM_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_renew_script = {
    "renew", NGX_REDIS_RENEW_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_settle_script = {
    "settle", NGX_REDIS_SETTLE_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_drop_script = {
    "drop", NGX_REDIS_DROP_LUA, { 0 }
};


ngx_redis_script_t  ngx_redis_spend_script = {
    "spend", NGX_REDIS_LIMIT_LUA NGX_REDIS_SPEND_LUA, { 0 }
};


void
ngx_redis_record_scripts(void)
{
    ngx_redis_script_init(&ngx_redis_claim_script);
    ngx_redis_script_init(&ngx_redis_limited_script);
    ngx_redis_script_init(&ngx_redis_renew_script);
    ngx_redis_script_init(&ngx_redis_settle_script);
    ngx_redis_script_init(&ngx_redis_drop_script);
    ngx_redis_script_init(&ngx_redis_spend_script);
}
