
/*
 * hiredis' reader, with limits.
 */

#ifndef _NGX_REDIS_READER_H_INCLUDED_
#define _NGX_REDIS_READER_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


#define NGX_REDIS_ARRAY  65536          /* elements, at most */
#define NGX_REDIS_DEPTH  6              /* arrays in arrays, at most */


/*
 * hiredis' reader, which believes what the other side says about the size of
 * an array and takes as much memory, with a limit to it; NULL when memory
 * failed.  redisReaderFree() frees it.
 */
redisReader *ngx_redis_reader_create(void);


#endif /* _NGX_REDIS_READER_H_INCLUDED_ */
