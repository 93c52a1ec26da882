
#include "ngx_redis_internal.h"


static ngx_int_t ngx_redis_greeting_add(ngx_conf_t *cf, ngx_redis_t *redis,
    int argc, ngx_str_t *argv);
static void ngx_redis_greeting_refused(ngx_redis_node_t *node,
    const redisReply *reply);


ngx_int_t
ngx_redis_greeting_init(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *password)
{
    int        n;
    u_char     db[NGX_INT_T_LEN];
    ngx_str_t  argv[NGX_REDIS_GREETINGS];

    if (password->len) {
        n = 0;

        ngx_str_set(&argv[n], "AUTH");
        n++;

        if (redis->user.len) {
            argv[n++] = redis->user;
        }

        argv[n++] = *password;

        if (ngx_redis_greeting_add(cf, redis, n, argv) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (redis->db) {
        ngx_str_set(&argv[0], "SELECT");
        argv[1].data = db;
        argv[1].len = ngx_sprintf(db, "%ui", redis->db) - db;

        if (ngx_redis_greeting_add(cf, redis, 2, argv) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* a server that hangs or is still loading does not answer PONG */

    ngx_str_set(&argv[0], "PING");

    return ngx_redis_greeting_add(cf, redis, 1, argv);
}


static ngx_int_t
ngx_redis_greeting_add(ngx_conf_t *cf, ngx_redis_t *redis, int argc,
    ngx_str_t *argv)
{
    int          i;
    char        *command;
    size_t       lens[NGX_REDIS_GREETINGS];
    u_char      *p;
    ssize_t      len;
    const char  *words[NGX_REDIS_GREETINGS];

    for (i = 0; i < argc; i++) {
        words[i] = (const char *) argv[i].data;
        lens[i] = argv[i].len;
    }

    len = redisFormatCommandArgv(&command, argc, words, lens);

    if (len < 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "redisFormatCommandArgv() failed");
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->cycle->pool, redis->greeting.len + len);

    if (p) {
        if (redis->greeting.len) {
            ngx_memcpy(p, redis->greeting.data, redis->greeting.len);
        }

        ngx_memcpy(p + redis->greeting.len, command, len);

        redis->greeting.data = p;
        redis->greeting.len += len;
        redis->greetings[redis->ngreetings++] = words[0];
    }

    ngx_explicit_memzero(command, len);
    redisFreeCommand(command);

    return p ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_redis_greeting_reply(ngx_redis_node_t *node, const redisReply *reply)
{
    int         type;
    ngx_uint_t  last;

    /* SUBSCRIBE, the last of a channel, is answered by an array */

    last = node->redis->ngreetings + (node->channel != NULL);
    type = (node->greeted == node->redis->ngreetings) ? REDIS_REPLY_ARRAY
                                                      : REDIS_REPLY_STATUS;

    if (reply->type != type) {
        ngx_redis_greeting_refused(node, reply);
        return NGX_ERROR;
    }

    if (++node->greeted == last) {
        ngx_redis_node_greeted(node);
    }

    return NGX_OK;
}


static void
ngx_redis_greeting_refused(ngx_redis_node_t *node, const redisReply *reply)
{
    size_t       n;
    const char  *command;

    command = "SUBSCRIBE";

    if (node->greeted < node->redis->ngreetings) {
        command = node->redis->greetings[node->greeted];

    } else {
        ngx_redis_channel_refused(node->channel);
    }

    if (reply->type != REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                      "redis sent an unexpected reply to %s", command);
        return;
    }

    /* only the error's code: what follows is the other side's free text */

    for (n = 0; n < (size_t) reply->len; n++) {
        if (reply->str[n] < 'A' || reply->str[n] > 'Z') {
            break;
        }
    }

    ngx_log_error(NGX_LOG_ERR, &node->log, 0,
                  "redis refused %s with \"%*s\"", command, n, reply->str);
}
