
/*
 * What the log may say of a reply.
 */


#include "record/ngx_redis_words.h"

#include <string.h>


/* whether a text begins with the word, a literal */
#define ngx_redis_begins(s, len, word)                                        \
    ((len) >= sizeof(word) - 1 && memcmp(s, word, sizeof(word) - 1) == 0)


static int ngx_redis_words_end(const char *p, const char *end,
    const char *last);
static int ngx_redis_words_shown(const char *p, const char *end);


void
ngx_redis_words_part(const char *part, ngx_redis_words_t *words)
{
    words->len = strlen(part);
    memcpy(words->data, part, words->len);
}


void
ngx_redis_words_field(const redisReply *reply, ngx_redis_words_t *words)
{
    char  ch;

    if (reply->type != REDIS_REPLY_STRING) {
        return;
    }

    while (words->len < (size_t) reply->len && words->len < NGX_REDIS_FIELD) {
        ch = reply->str[words->len];

        if ((ch | 0x20) < 'a' || (ch | 0x20) > 'z') {
            break;
        }

        words->data[words->len++] = ch;
    }
}


void
ngx_redis_words_error(const redisReply *reply, ngx_redis_words_t *words)
{
    size_t       len;
    const char  *p, *end, *last;

    last = reply->str + reply->len;

    for (p = reply->str; p < last; p = end + 1) {

        end = memchr(p, ' ', last - p);
        if (end == NULL) {
            end = last;
        }

        if (ngx_redis_words_end(p, end, last)) {
            return;
        }

        if (!ngx_redis_words_shown(p, end)) {
            p = "*";
            len = 1;

        } else {
            len = end - p;
        }

        if (words->len + 1 + len > NGX_REDIS_SAID) {
            return;
        }

        if (words->len) {
            words->data[words->len++] = ' ';
        }

        memcpy(words->data + words->len, p, len);
        words->len += len;
    }
}


/* what follows may be an argument, and of how many words nobody knows */

static int
ngx_redis_words_end(const char *p, const char *end, const char *last)
{
    return ngx_redis_begins(p, (size_t) (last - p), "with args")
           || (p < end
               && (*p == '\'' || *p == '"' || *p == '`')
               && memchr(p + 1, *p, end - p - 1) == NULL);
}


static int
ngx_redis_words_shown(const char *p, const char *end)
{
    if (end - p > NGX_REDIS_WORD) {
        return 0;
    }

    for ( /* void */ ; p < end; p++) {

        if (((*p | 0x20) < 'a' || (*p | 0x20) > 'z')
            && (*p == '\0' || strchr("'`.,:;!?()<>=|/@_-", *p) == NULL))
        {
            return 0;
        }
    }

    return 1;
}
