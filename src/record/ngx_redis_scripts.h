
/*
 * The scripts, one a verb.
 */

#ifndef _NGX_REDIS_SCRIPTS_H_INCLUDED_
#define _NGX_REDIS_SCRIPTS_H_INCLUDED_


#include "redis/ngx_redis.h"


extern ngx_redis_script_t  ngx_redis_claim_script;
extern ngx_redis_script_t  ngx_redis_limited_script;    /* claim, and limits */
extern ngx_redis_script_t  ngx_redis_renew_script;
extern ngx_redis_script_t  ngx_redis_settle_script;
extern ngx_redis_script_t  ngx_redis_drop_script;
extern ngx_redis_script_t  ngx_redis_spend_script;


/* configuration time: ngx_redis_script_init() of each of them */
void ngx_redis_record_scripts(void);


#endif /* _NGX_REDIS_SCRIPTS_H_INCLUDED_ */
