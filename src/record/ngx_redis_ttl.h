
/*
 * How long a record is kept, as its commands say it: written once, when the
 * configuration is read.
 */

#ifndef _NGX_REDIS_TTL_H_INCLUDED_
#define _NGX_REDIS_TTL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "redis/ngx_redis.h"


/* it stays where it was made, and is never copied: the others are parts of
   "text" */
typedef struct {
    ngx_msec_t         msec;
    ngx_str_t          digits;
    ngx_redis_tail_t   px;              /* PX and the digits */
    ngx_redis_tail_t   claim;           /* NX GET, and that */
    u_char             text[sizeof("$2" CRLF "NX" CRLF "$3" CRLF "GET" CRLF
                                   "$2" CRLF "PX" CRLF "$20" CRLF CRLF)
                            + NGX_INT64_LEN];
} ngx_redis_ttl_t;


/* of "msec" milliseconds, 1 at least */
void ngx_redis_ttl_init(ngx_redis_ttl_t *ttl, ngx_msec_t msec);


#endif /* _NGX_REDIS_TTL_H_INCLUDED_ */
