
/*
 * The words of a record's commands, in each form.
 */

#ifndef _NGX_REDIS_WORDING_H_INCLUDED_
#define _NGX_REDIS_WORDING_H_INCLUDED_


#include "record/ngx_redis_record.h"


/* of an asker whose data is a record */
void ngx_redis_record_words(void *data, ngx_uint_t form,
    ngx_redis_phrase_t *phrase);


#endif /* _NGX_REDIS_WORDING_H_INCLUDED_ */
