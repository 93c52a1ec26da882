
/*
 * hiredis' reader, with a limit to what it believes.
 */


#include "redis/reply/ngx_redis_reader.h"


#if (HIREDIS_MAJOR >= 1)
typedef size_t  ngx_redis_elements_t;
#else
typedef int     ngx_redis_elements_t;
#endif


static void *ngx_redis_create_array(const redisReadTask *task,
    ngx_redis_elements_t n);


static redisReplyObjectFunctions         ngx_redis_functions;
static const redisReplyObjectFunctions  *ngx_redis_default_functions;


redisReader *
ngx_redis_reader_create(void)
{
    redisReader  *reader;

    reader = redisReaderCreate();

    if (reader == NULL) {
        return NULL;
    }

    if (ngx_redis_functions.createArray == NULL) {
        ngx_redis_default_functions = reader->fn;
        ngx_redis_functions = *reader->fn;
        ngx_redis_functions.createArray = ngx_redis_create_array;
    }

    reader->fn = &ngx_redis_functions;

    return reader;
}


/* NULL ends the reader in an error; later versions go as deep as they are
   led */

static void *
ngx_redis_create_array(const redisReadTask *task, ngx_redis_elements_t n)
{
    unsigned              depth;
    const redisReadTask  *parent;

    depth = 0;

    for (parent = task->parent; parent; parent = parent->parent) {
        depth++;
    }

    if (n > NGX_REDIS_ARRAY || depth > NGX_REDIS_DEPTH) {
        return NULL;
    }

    return ngx_redis_default_functions->createArray(task, n);
}
