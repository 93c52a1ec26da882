
/*
 * Values that are too long are left out.
 */

#ifndef _NGX_REDIS_SIEVE_H_INCLUDED_
#define _NGX_REDIS_SIEVE_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


#define NGX_REDIS_LINE   65536          /* bytes, of anything but a string */
#define NGX_REDIS_BULK   (512L * 1024 * 1024)   /* bytes of a string: Redis has
                                                   none that is longer */


/* how the error begins that stands for a string of which nothing is kept: a
   null could be one that Redis has sent */
#define NGX_REDIS_SIEVED "TOOLONG "


typedef enum {
    ngx_redis_sieve_line = 0,           /* at the beginning of one */
    ngx_redis_sieve_other,              /* within one that is no string's */
    ngx_redis_sieve_keep,               /* within a string, its end included */
    ngx_redis_sieve_drop
} ngx_redis_sieve_e;


/*
 * Between a connection and the reader, which keeps a string until it has all of
 * it: one longer than "max" is thrown away as it comes, and the reader gets an
 * error instead.  Zeroed, with "max" set, for each connection.
 */
typedef struct {
    size_t                  max;        /* bytes of a string that are kept */
    size_t                  dropped;    /* of the last one that was thrown away,
                                           0: none; the caller's to clear */
    ngx_redis_sieve_e       state;
    unsigned long long      rest;       /* bytes of a string to come, or of
                                           another line that came */
    char                    head[24];   /* the beginning of its first line,
                                           where that is cut */
    size_t                  len;
    int                     cr;         /* another line ends in CR so far */
} ngx_redis_sieve_t;


/* whether nothing of a reply has come that is not complete */
int ngx_redis_sieve_idle(const ngx_redis_sieve_t *sieve,
    const redisReader *reader);

/* 0 when what came cannot be a reply; -1 when memory failed; else 1 */
int ngx_redis_sieve(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char *data, size_t len);


#endif /* _NGX_REDIS_SIEVE_H_INCLUDED_ */
