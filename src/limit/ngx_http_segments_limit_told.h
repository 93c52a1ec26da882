
/*
 * What Redis says of the limits of a trip.
 */

#ifndef _NGX_HTTP_SEGMENTS_LIMIT_TOLD_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_LIMIT_TOLD_H_INCLUDED_


#include "limit/ngx_http_segments_limit.h"


/* takes what the reply says of the last trip's limits; NGX_DECLINED where it
   says it of others: a refusal is then not to be believed.  "verdict" is the
   claim's */
ngx_int_t ngx_http_segments_limits_told(ngx_http_request_t *r,
    ngx_http_segments_limits_t *limits, ngx_redis_record_verdict_e verdict,
    const ngx_redis_record_reply_t *reply);


#endif /* _NGX_HTTP_SEGMENTS_LIMIT_TOLD_H_INCLUDED_ */
