
/*
 * A key's slot in a cluster.
 */

#ifndef _NGX_REDIS_SLOT_H_INCLUDED_
#define _NGX_REDIS_SLOT_H_INCLUDED_


#include <stddef.h>


#define NGX_REDIS_SLOTS  16384


/* of a key: its hash tag's, or its own */
unsigned ngx_redis_slot(const unsigned char *key, size_t len);


#endif /* _NGX_REDIS_SLOT_H_INCLUDED_ */
