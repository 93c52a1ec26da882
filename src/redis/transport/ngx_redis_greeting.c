
/*
 * What a connection begins with, written in one piece when it is made: the
 * password may be another one than last time.
 */


#include "redis/transport/ngx_redis_greeting.h"
#include "redis/reply/ngx_redis_facts.h"
#include "redis/reply/ngx_redis_parse.h"


#define NGX_REDIS_GREETING_WORDS  3     /* of one command */


static ngx_uint_t ngx_redis_greeting_words(ngx_redis_greeter_t *greeter,
    ngx_redis_greet_e step, ngx_str_t *words, u_char *number);
static ngx_str_t *ngx_redis_greeting_password(ngx_redis_greeter_t *greeter);
static ngx_int_t ngx_redis_greeting_check(ngx_redis_greeter_t *greeter,
    ngx_redis_greet_e step, const redisReply *reply);
static void ngx_redis_greeting_authorized(ngx_redis_greeter_t *greeter);
static void ngx_redis_greeting_unauthorized(ngx_redis_greeter_t *greeter);
static void ngx_redis_greeting_refused(ngx_redis_greeter_t *greeter,
    ngx_redis_greet_e step, const redisReply *reply);


static ngx_str_t  ngx_redis_greeting_names[] = {
    [ngx_redis_greet_auth] = ngx_string("AUTH"),
    [ngx_redis_greet_auth_if_asked] = ngx_string("AUTH"),
    [ngx_redis_greet_select] = ngx_string("SELECT"),
    [ngx_redis_greet_ping] = ngx_string("PING"),
    [ngx_redis_greet_role] = ngx_string("ROLE"),
    [ngx_redis_greet_subscribe] = ngx_string("SUBSCRIBE")
};


void
ngx_redis_greeter_init(ngx_redis_greeter_t *greeter, ngx_redis_t *redis,
    ngx_redis_greeting_t *greeting, ngx_log_t *log)
{
    greeter->redis = redis;
    greeter->greeting = greeting;
    greeter->log = log;

    greeter->buf.temporary = 1;
    greeter->buf.flush = 1;
    greeter->link.buf = &greeter->buf;
}


ngx_int_t
ngx_redis_greeting_start(ngx_redis_greeter_t *greeter)
{
    size_t                 size;
    u_char                *p, number[NGX_INT_T_LEN];
    ngx_str_t              words[NGX_REDIS_GREETING_WORDS];
    ngx_uint_t             i, n, step;
    ngx_redis_greeting_t  *greeting;

    ngx_redis_password_refresh(&greeter->redis->password, ngx_cycle->log);

    greeting = greeter->greeting;
    size = 0;

    for (step = 0; step < greeting->nsteps; step++) {
        n = ngx_redis_greeting_words(greeter, greeting->steps[step], words,
                                     number);
        size += sizeof("*" CRLF) - 1 + NGX_INT_T_LEN;

        for (i = 0; i < n; i++) {
            size += sizeof("$" CRLF CRLF) - 1 + NGX_SIZE_T_LEN + words[i].len;
        }
    }

    p = ngx_alloc(size, greeter->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    greeter->buf.start = p;
    greeter->buf.pos = p;
    greeter->buf.end = p + size;

    for (step = 0; step < greeting->nsteps; step++) {
        n = ngx_redis_greeting_words(greeter, greeting->steps[step], words,
                                     number);
        p = ngx_sprintf(p, "*%ui" CRLF, n);

        for (i = 0; i < n; i++) {
            p = ngx_sprintf(p, "$%uz" CRLF "%V" CRLF, words[i].len, &words[i]);
        }
    }

    greeter->buf.last = p;
    greeter->greeted = 0;

    return NGX_OK;
}


void
ngx_redis_greeting_end(ngx_redis_greeter_t *greeter)
{
    ngx_buf_t  *b;

    b = &greeter->buf;

    if (b->start) {
        ngx_explicit_memzero(b->start, b->end - b->start);
        ngx_free(b->start);
    }

    b->start = NULL;
    b->pos = NULL;
    b->last = NULL;
    b->end = NULL;
}


/* "number" is memory for one */

static ngx_uint_t
ngx_redis_greeting_words(ngx_redis_greeter_t *greeter, ngx_redis_greet_e step,
    ngx_str_t *words, u_char *number)
{
    ngx_uint_t    n;
    ngx_redis_t  *redis;

    redis = greeter->redis;
    n = 0;

    words[n++] = ngx_redis_greeting_names[step];

    switch (step) {

    case ngx_redis_greet_auth:
    case ngx_redis_greet_auth_if_asked:

        if (redis->user.len) {
            words[n++] = redis->user;
        }

        words[n++] = *ngx_redis_greeting_password(greeter);
        break;

    case ngx_redis_greet_select:
        words[n].data = number;
        words[n].len = ngx_sprintf(number, "%ui", redis->db) - number;
        n++;
        break;

    case ngx_redis_greet_subscribe:
        words[n++] = *greeter->channel;
        break;

    default: /* ngx_redis_greet_ping, ngx_redis_greet_role */
        break;
    }

    return n;
}


/* a newer one begins anew */

static ngx_str_t *
ngx_redis_greeting_password(ngx_redis_greeter_t *greeter)
{
    ngx_redis_password_t  *password;

    password = &greeter->redis->password;

    if (greeter->password != password->changes) {
        greeter->password = password->changes;
        greeter->former = 0;
        greeter->other = 0;
    }

    return (greeter->former && password->before.len) ? &password->before
                                                  : &password->text;
}


ngx_int_t
ngx_redis_greeting_reply(ngx_redis_greeter_t *greeter, const redisReply *reply)
{
    ngx_int_t              rc;
    ngx_redis_greeting_t  *greeting;

    greeting = greeter->greeting;

    rc = ngx_redis_greeting_check(greeter, greeting->steps[greeter->greeted],
                                  reply);
    if (rc != NGX_OK) {
        return rc;
    }

    return (++greeter->greeted == greeting->nsteps) ? NGX_DONE : NGX_OK;
}


ngx_str_t *
ngx_redis_greeting_step(ngx_redis_greeter_t *greeter)
{
    ngx_redis_greet_e  step;

    step = greeter->greeting->steps[greeter->greeted];

    return &ngx_redis_greeting_names[step];
}


static ngx_int_t
ngx_redis_greeting_check(ngx_redis_greeter_t *greeter, ngx_redis_greet_e step,
    const redisReply *reply)
{
    switch (step) {

    case ngx_redis_greet_auth:

        if (reply->type == REDIS_REPLY_STATUS) {
            ngx_redis_greeting_authorized(greeter);
            return NGX_OK;
        }

        break;

    case ngx_redis_greet_auth_if_asked:

        if (reply->type == REDIS_REPLY_STATUS) {
            ngx_redis_greeting_authorized(greeter);
        }

        return NGX_OK;

    case ngx_redis_greet_select:
    case ngx_redis_greet_ping:

        if (reply->type == REDIS_REPLY_STATUS) {
            return NGX_OK;
        }

        break;

    case ngx_redis_greet_role:

        if (ngx_redis_facts_role(reply)) {
            return NGX_OK;
        }

        if (reply->type == REDIS_REPLY_ARRAY) {
            ngx_log_error(NGX_LOG_ERR, greeter->log, 0,
                          "redis is not a master");
            return NGX_ERROR;
        }

        break;

    case ngx_redis_greet_subscribe:

        if (reply->type == REDIS_REPLY_ARRAY) {
            return NGX_OK;
        }

        ngx_redis_greeting_refused(greeter, step, reply);
        return NGX_DECLINED;
    }

    ngx_redis_greeting_refused(greeter, step, reply);

    return NGX_ERROR;
}


static void
ngx_redis_greeting_authorized(ngx_redis_greeter_t *greeter)
{
    greeter->other = 0;

    if (!greeter->former) {
        greeter->redis->password.taken = 1;
    }
}


/* the other password is tried at once, and after that no sooner than after any
   other failure */

static void
ngx_redis_greeting_unauthorized(ngx_redis_greeter_t *greeter)
{
    if (greeter->redis->password.before.len == 0) {
        return;
    }

    greeter->former = !greeter->former;
    greeter->again = !greeter->other;
    greeter->other = greeter->again;

    if (greeter->again) {
        ngx_log_error(NGX_LOG_WARN, greeter->log, 0,
                      "redis does not take the %s password of file \"%V\", "
                      "the %s one is tried",
                      greeter->former ? "new" : "former",
                      &greeter->redis->password.path,
                      greeter->former ? "former" : "new");
    }
}


static void
ngx_redis_greeting_refused(ngx_redis_greeter_t *greeter, ngx_redis_greet_e step,
    const redisReply *reply)
{
    size_t      n;
    ngx_str_t  *command;

    command = &ngx_redis_greeting_names[step];

    if (reply->type != REDIS_REPLY_ERROR) {
        ngx_log_error(NGX_LOG_ERR, greeter->log, 0,
                      "redis sent an unexpected reply to %V", command);
        return;
    }

    n = ngx_redis_parse_code(reply);

    ngx_log_error(NGX_LOG_ERR, greeter->log, 0,
                  "redis refused %V with \"%*s\"", command, n, reply->str);

    /* what a sentinel says to AUTH is known by what it says to PING */

    if (step == ngx_redis_greet_auth
        || (n == sizeof("NOAUTH") - 1
            && ngx_strncmp(reply->str, "NOAUTH", n) == 0))
    {
        ngx_redis_greeting_unauthorized(greeter);
    }
}
