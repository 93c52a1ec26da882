
/*
 * The few shapes of a reply that a native command gets, read where they lie.
 */

#ifndef _NGX_REDIS_SWIFT_H_INCLUDED_
#define _NGX_REDIS_SWIFT_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


/*
 * A status, a null, a number, or a string of at most "max" bytes that begins at
 * "p" and is whole: fills "reply", whose text is where it came, with a zero
 * byte behind it, and returns how many bytes it took.  0: it is of another
 * shape, or not whole, and nothing was written.
 */
size_t ngx_redis_swift(char *p, size_t len, size_t max, redisReply *reply);


#endif /* _NGX_REDIS_SWIFT_H_INCLUDED_ */
