
/*
 * The few shapes of a reply that the usual commands get, read where they lie.
 */

#ifndef _NGX_REDIS_SWIFT_H_INCLUDED_
#define _NGX_REDIS_SWIFT_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


#define NGX_REDIS_SWIFT_ELEMENTS  24    /* of a reply, at most: a script's, with
                                           those of the array within it */


/* a reply, and room for what it is made of; nothing of it is to be freed */
typedef struct {
    redisReply      reply;

    size_t          used;               /* elements */
    redisReply      element[NGX_REDIS_SWIFT_ELEMENTS];
    redisReply     *elements[NGX_REDIS_SWIFT_ELEMENTS];
} ngx_redis_swift_t;


/*
 * A status, a null, a number, a string of at most "max" bytes, or an array of
 * these and of one more such array, that begins at "p" and is whole: fills
 * swift->reply, whose texts are where they came, each with a zero byte behind
 * it, and returns how many bytes it took.  0: it is of another shape, or not
 * whole, and nothing was written to "p".
 */
size_t ngx_redis_swift(char *p, size_t len, size_t max,
    ngx_redis_swift_t *swift);


#endif /* _NGX_REDIS_SWIFT_H_INCLUDED_ */
