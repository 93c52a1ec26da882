
/*
 * Memory for what lives as long as a trip to Redis or to the upstream: taken
 * and given back for each request, by dozens at a time.
 *
 * The C library keeps a few small blocks of a size and merges all others with
 * their neighbours, to cut them out again for the next.
 */

#ifndef _NGX_SEGMENTS_BLOCK_H_INCLUDED_
#define _NGX_SEGMENTS_BLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * At least "size" bytes, aligned for anything, of undefined content; NULL
 * after logging when memory failed.  ngx_segments_block_free() frees them.
 */
void *ngx_segments_block_alloc(size_t size, ngx_log_t *log);

/* "p" is not NULL */
void ngx_segments_block_free(void *p);

/* the process ends, and the module with it: what is kept is freed, and nothing
   is kept any more */
void ngx_segments_block_end(void);


#endif /* _NGX_SEGMENTS_BLOCK_H_INCLUDED_ */
