
#ifndef _NGX_REDIS_TEXT_H_INCLUDED_
#define _NGX_REDIS_TEXT_H_INCLUDED_


#include <stddef.h>
#include <string.h>


/* whether a text begins with the word, a literal */
#define ngx_redis_begins(s, len, word)                                        \
    ((len) >= sizeof(word) - 1 && memcmp(s, word, sizeof(word) - 1) == 0)

/* whether the word stands anywhere in a text */
int ngx_redis_contains(const char *s, size_t len, const char *word);


#endif /* _NGX_REDIS_TEXT_H_INCLUDED_ */
