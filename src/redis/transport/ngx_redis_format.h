
/*
 * A command's words, in the form in which they are written.
 */

#ifndef _NGX_REDIS_FORMAT_H_INCLUDED_
#define _NGX_REDIS_FORMAT_H_INCLUDED_


#include "redis/transport/ngx_redis_command.h"


/* what the command says in its form */
void ngx_redis_format_phrase(ngx_redis_command_t *cmd,
    ngx_redis_phrase_t *phrase);

/* bytes of a phrase when it is written, at most; "cmd" says how, NULL: as it
   is */
size_t ngx_redis_format_size(ngx_redis_command_t *cmd,
    ngx_redis_phrase_t *phrase);

/* writes it to "p", from where the command will be sent, and notes what its
   reply has to look like */
void ngx_redis_format(ngx_redis_command_t *cmd, ngx_redis_phrase_t *phrase,
    u_char *p);


#endif /* _NGX_REDIS_FORMAT_H_INCLUDED_ */
