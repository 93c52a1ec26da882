
/*
 * What the log may say of a reply: plain C on hiredis' replies.
 */

#ifndef _NGX_REDIS_WORDS_H_INCLUDED_
#define _NGX_REDIS_WORDS_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


/* of what a peer sent, no more than this goes to the log: of a part's name,
   of an error, and of one word of it */
#define NGX_REDIS_FIELD        16
#define NGX_REDIS_SAID         120
#define NGX_REDIS_WORD         24


/* fit for the log */
typedef struct {
    char                         data[NGX_REDIS_SAID];
    size_t                       len;
} ngx_redis_words_t;


/*
 * An error, in Redis' words, without any argument of the command: a word with a
 * digit in it or anything else but letters and punctuation, as keys, tokens,
 * numbers and addresses are, is an asterisk, and it ends before the arguments
 * that Redis repeats or a text in quotes that is more than a word.
 */
void ngx_redis_words_error(const redisReply *reply, ngx_redis_words_t *words);

/* a string's first letters, or none */
void ngx_redis_words_field(const redisReply *reply, ngx_redis_words_t *words);

/* a word of our own, of letters */
void ngx_redis_words_part(const char *part, ngx_redis_words_t *words);


#endif /* _NGX_REDIS_WORDS_H_INCLUDED_ */
