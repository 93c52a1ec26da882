
#include "ngx_redis_internal.h"


static ngx_int_t ngx_redis_greeting_auth(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_redis_greeting_t *greeting, ngx_redis_greet_e step,
    ngx_str_t *password);
static ngx_int_t ngx_redis_greeting_select(ngx_conf_t *cf,
    ngx_redis_t *redis);
static ngx_int_t ngx_redis_greeting_add(ngx_conf_t *cf,
    ngx_redis_greeting_t *greeting, ngx_redis_greet_e step, int argc,
    ngx_str_t *argv);
static ngx_int_t ngx_redis_greeting_check(ngx_redis_node_t *node,
    ngx_redis_greet_e step, const redisReply *reply);
static void ngx_redis_greeting_policy(ngx_redis_node_t *node,
    const redisReply *reply);
static void ngx_redis_greeting_refused(ngx_redis_node_t *node,
    ngx_redis_greet_e step, const redisReply *reply);


/* by ngx_redis_greet_e */

static const char  *ngx_redis_greeting_names[] = {
    "AUTH", "AUTH", "SELECT", "PING", "ROLE", "INFO", "SUBSCRIBE"
};


ngx_int_t
ngx_redis_greeting_init(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *password)
{
    ngx_str_t          argv[2];
    ngx_redis_greet_e  step;

    if (ngx_redis_greeting_auth(cf, redis, &redis->greeting,
                                ngx_redis_greet_auth, password)
        != NGX_OK
        || ngx_redis_greeting_select(cf, redis) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* a server that hangs or is still loading does not answer PONG */

    if (redis->topology == ngx_redis_sentinel) {
        ngx_str_set(&argv[0], "ROLE");
        step = ngx_redis_greet_role;

    } else {
        ngx_str_set(&argv[0], "PING");
        step = ngx_redis_greet_ping;
    }

    if (ngx_redis_greeting_add(cf, &redis->greeting, step, 1, argv)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&argv[0], "INFO");
    ngx_str_set(&argv[1], "memory");

    if (ngx_redis_greeting_add(cf, &redis->greeting, ngx_redis_greet_info, 2,
                               argv)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* sentinels have a password of their own, the same one, or none */

    step = (redis->topology == ngx_redis_sentinel)
           ? ngx_redis_greet_auth_if_asked : ngx_redis_greet_auth;

    if (ngx_redis_greeting_auth(cf, redis, &redis->guide_greeting, step,
                                password)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&argv[0], "PING");

    return ngx_redis_greeting_add(cf, &redis->guide_greeting,
                                  ngx_redis_greet_ping, 1, argv);
}


static ngx_int_t
ngx_redis_greeting_auth(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_redis_greeting_t *greeting, ngx_redis_greet_e step,
    ngx_str_t *password)
{
    int        n;
    ngx_str_t  argv[3];

    if (password->len == 0) {
        return NGX_OK;
    }

    n = 0;

    ngx_str_set(&argv[n], "AUTH");
    n++;

    if (redis->user.len) {
        argv[n++] = redis->user;
    }

    argv[n++] = *password;

    return ngx_redis_greeting_add(cf, greeting, step, n, argv);
}


static ngx_int_t
ngx_redis_greeting_select(ngx_conf_t *cf, ngx_redis_t *redis)
{
    u_char     db[NGX_INT_T_LEN];
    ngx_str_t  argv[2];

    if (redis->db == 0) {
        return NGX_OK;
    }

    ngx_str_set(&argv[0], "SELECT");
    argv[1].data = db;
    argv[1].len = ngx_sprintf(db, "%ui", redis->db) - db;

    return ngx_redis_greeting_add(cf, &redis->greeting, ngx_redis_greet_select,
                                  2, argv);
}


static ngx_int_t
ngx_redis_greeting_add(ngx_conf_t *cf, ngx_redis_greeting_t *greeting,
    ngx_redis_greet_e step, int argc, ngx_str_t *argv)
{
    int          i;
    char        *command;
    size_t       lens[3];
    u_char      *p;
    ssize_t      len;
    const char  *words[3];

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

    p = ngx_pnalloc(cf->cycle->pool, greeting->text.len + len);

    if (p) {
        if (greeting->text.len) {
            ngx_memcpy(p, greeting->text.data, greeting->text.len);
        }

        ngx_memcpy(p + greeting->text.len, command, len);

        greeting->text.data = p;
        greeting->text.len += len;
        greeting->steps[greeting->nsteps++] = step;
    }

    ngx_explicit_memzero(command, len);
    redisFreeCommand(command);

    return p ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_redis_greeting_subscribe(ngx_redis_greeting_t *to,
    ngx_redis_greeting_t *greeting, ngx_str_t *channel)
{
    int      len;
    char    *command;
    u_char  *p;

    len = redisFormatCommand(&command, "SUBSCRIBE %b", channel->data,
                             channel->len);
    if (len < 0) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "redisFormatCommand() failed");
        return NGX_ERROR;
    }

    p = ngx_alloc(greeting->text.len + len, ngx_cycle->log);

    if (p) {
        *to = *greeting;

        to->text.data = p;
        to->text.len = greeting->text.len + len;
        to->steps[to->nsteps++] = ngx_redis_greet_subscribe;

        p = ngx_cpymem(p, greeting->text.data, greeting->text.len);
        ngx_memcpy(p, command, len);
    }

    redisFreeCommand(command);

    return p ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_redis_greeting_reply(ngx_redis_node_t *node, const redisReply *reply)
{
    ngx_redis_greeting_t  *greeting;

    greeting = node->greeter;

    if (ngx_redis_greeting_check(node, greeting->steps[node->greeted], reply)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (++node->greeted == greeting->nsteps) {
        ngx_redis_node_greeted(node);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_redis_greeting_check(ngx_redis_node_t *node, ngx_redis_greet_e step,
    const redisReply *reply)
{
    switch (step) {

    case ngx_redis_greet_auth_if_asked:
        return NGX_OK;

    case ngx_redis_greet_auth:
    case ngx_redis_greet_select:
    case ngx_redis_greet_ping:

        if (reply->type == REDIS_REPLY_STATUS) {
            return NGX_OK;
        }

        break;

    case ngx_redis_greet_role:

        if (ngx_redis_parse_role(reply)) {
            return NGX_OK;
        }

        if (reply->type == REDIS_REPLY_ARRAY) {
            ngx_log_error(NGX_LOG_ERR, &node->log, 0, "redis is not a master");
            return NGX_ERROR;
        }

        break;

    case ngx_redis_greet_info:
        ngx_redis_greeting_policy(node, reply);
        return NGX_OK;

    case ngx_redis_greet_subscribe:

        if (reply->type == REDIS_REPLY_ARRAY) {
            return NGX_OK;
        }

        ngx_redis_channel_refused(node->channel);
        break;
    }

    ngx_redis_greeting_refused(node, step, reply);

    return NGX_ERROR;
}


/* once, until it is another one */

static void
ngx_redis_greeting_policy(ngx_redis_node_t *node, const redisReply *reply)
{
    size_t       len;
    const char  *policy;

    if (node->channel) {
        return;
    }

    len = ngx_redis_parse_policy(reply, &policy);

    if (len && !node->evicts) {
        ngx_log_error(NGX_LOG_WARN, &node->log, 0,
                      "redis has maxmemory-policy \"%*s\" and may forget "
                      "claims and answers: it should be \"noeviction\"",
                      len, policy);
    }

    node->evicts = (len != 0);
}


static void
ngx_redis_greeting_refused(ngx_redis_node_t *node, ngx_redis_greet_e step,
    const redisReply *reply)
{
    size_t       n;
    const char  *command;

    command = ngx_redis_greeting_names[step];

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
