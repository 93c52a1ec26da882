
/*
 * Which replies may be the one to a command.
 */

#ifndef _NGX_REDIS_EXPECT_H_INCLUDED_
#define _NGX_REDIS_EXPECT_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


/* what may come in answer to a command, besides an error */
typedef enum {
    ngx_redis_expect_any = 0,
    ngx_redis_expect_ok,                /* the status, as of ASKING */
    ngx_redis_expect_pong,
    ngx_redis_expect_number,            /* of WAIT */
    ngx_redis_expect_text,              /* a string */
    ngx_redis_expect_slots,             /* an array of arrays */
    ngx_redis_expect_place,             /* two strings, or a null */
    ngx_redis_expect_role,              /* an array that begins with a string */
    ngx_redis_expect_proof,             /* the same, with the proof */
    ngx_redis_expect_done,              /* the same, or the proof alone */
    ngx_redis_expect_value,             /* a null, or a string that names what
                                           the proof names, or nothing */
    ngx_redis_expect_set                /* the status, or a null */
} ngx_redis_expect_e;


/* where a value names itself: a version, which is the proof's first byte, and
   from here on the rest of the proof.  What is no such value names nothing */
#define NGX_REDIS_NAME_AT         4


/* what is expected in answer to these words of a command */
ngx_redis_expect_e ngx_redis_expect(const char **words, size_t n);

/*
 * Whether "reply" can belong to a command that expects this.  An error always
 * can: it is Redis' own word, and says that nothing was done.  The proof is
 * used for ngx_redis_expect_proof, _done and _value alone.
 */
int ngx_redis_expect_fits(const redisReply *reply, ngx_redis_expect_e expect,
    const unsigned char *proof, size_t len);


#endif /* _NGX_REDIS_EXPECT_H_INCLUDED_ */
