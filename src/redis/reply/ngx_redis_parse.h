
/*
 * What Redis says beyond the answer to a command, taken apart.  Plain C on
 * hiredis' replies: no nginx, no memory, and never a byte beyond what is
 * there.
 */

#ifndef _NGX_REDIS_PARSE_H_INCLUDED_
#define _NGX_REDIS_PARSE_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


#define NGX_REDIS_HOST   255            /* bytes of a host's name, at most */


/* points into the reply; a length of 0: the host that was asked */
typedef struct {
    const char           *host;
    size_t                len;
    unsigned              port;         /* 1 to 65535 */
} ngx_redis_place_t;


typedef enum {
    ngx_redis_error_other = 0,          /* for the caller of the command */
    ngx_redis_error_noscript,
    ngx_redis_error_moved,              /* slot, place */
    ngx_redis_error_ask,                /* slot, place */
    ngx_redis_error_tryagain,           /* soon, nothing was done */
    ngx_redis_error_clusterdown,
    ngx_redis_error_readonly            /* not a master, nothing was done */
} ngx_redis_error_e;


typedef struct {
    ngx_redis_error_e     kind;
    unsigned              slot;
    ngx_redis_place_t     place;
} ngx_redis_error_t;


/* slots from first to last, both included, and who has them */
typedef struct {
    unsigned              first;
    unsigned              last;
    ngx_redis_place_t     place;
} ngx_redis_range_t;


/* "reply" is of any type; what is no error is ngx_redis_error_other */
void ngx_redis_parse_error(const redisReply *reply, ngx_redis_error_t *error);

/* how much of an error is its code, in capitals: the rest is free text */
size_t ngx_redis_parse_code(const redisReply *reply);

/* The i-th element of the answer to CLUSTER SLOTS; 0 when it is none. */
int ngx_redis_parse_range(const redisReply *reply, size_t i,
    ngx_redis_range_t *range);

/* the answer to SENTINEL GET-MASTER-ADDR-BY-NAME; 0 when it names none */
int ngx_redis_parse_master(const redisReply *reply, ngx_redis_place_t *place);


#endif /* _NGX_REDIS_PARSE_H_INCLUDED_ */
