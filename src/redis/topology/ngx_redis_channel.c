
/*
 * A channel of this worker's own, on which scripts tell it what it waits for.
 *
 * A RESP2 connection that has subscribed takes no other commands, so there is
 * a link for it: one whose greeting ends in SUBSCRIBE, and to which Redis then
 * sends messages instead of replies.
 */


#include "redis/topology/ngx_redis_channel.h"
#include "redis/transport/ngx_redis_events.h"
#include "redis/topology/ngx_redis_map.h"


/* milliseconds without a message, after which Redis is asked for a sign of
   life, and as many again until it is given up */
#define NGX_REDIS_CHANNEL_SILENCE  5000

/* milliseconds before a subscription that was refused is tried again: it is
   a matter of access rights */
#define NGX_REDIS_CHANNEL_REFUSED  60000


/* a link that hears messages */
struct ngx_redis_channel_s {
    ngx_redis_link_t         link;      /* the first */
    ngx_str_t                name;
    ngx_redis_greeting_t     greeting;  /* the link's */
    ngx_msec_t               refused;   /* not to be tried before */
    ngx_msec_t               patience;  /* after a refusal */
    ngx_redis_message_pt     handler;
    void                    *data;      /* the handler's */
    unsigned                 listening:1;
    unsigned                 pinged:1;  /* nothing has come since */
    unsigned                 watch:1;   /* of a guide */
};


static ngx_uint_t ngx_redis_channel_wanted(ngx_redis_link_t *link);
static void ngx_redis_channel_ready(ngx_redis_link_t *link);
static void ngx_redis_channel_refused(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_channel_reply(ngx_redis_link_t *link,
    redisReply *reply);
static void ngx_redis_channel_await(ngx_redis_link_t *link);
static ngx_int_t ngx_redis_channel_silent(ngx_redis_link_t *link);
static void ngx_redis_channel_lost(ngx_redis_link_t *link, ngx_uint_t ready);
static ngx_int_t ngx_redis_channel_failed(ngx_redis_link_t *link);


static const ngx_redis_link_hooks_t  ngx_redis_channel_hooks = {
    .wanted = ngx_redis_channel_wanted,
    .ready = ngx_redis_channel_ready,
    .refused = ngx_redis_channel_refused,
    .reply = ngx_redis_channel_reply,
    .await = ngx_redis_channel_await,
    .silent = ngx_redis_channel_silent,
    .lost = ngx_redis_channel_lost,
    .failed = ngx_redis_channel_failed
};


static ngx_str_t  ngx_redis_channel_ping = ngx_string("*1" CRLF "$4" CRLF
                                                      "PING" CRLF);


ngx_redis_channel_t *
ngx_redis_channel_open(ngx_redis_t *redis, ngx_redis_greeting_t *greeting,
    ngx_str_t *prefix, ngx_str_t *suffix, ngx_msec_t connect_timeout,
    ngx_redis_message_pt handler, void *data)
{
    u_char               *p;
    ngx_redis_channel_t  *channel;

    channel = ngx_calloc(sizeof(ngx_redis_channel_t) + prefix->len
                         + suffix->len, ngx_cycle->log);
    if (channel == NULL) {
        return NULL;
    }

    channel->refused = ngx_current_msec;
    channel->patience = NGX_REDIS_CHANNEL_REFUSED;
    channel->handler = handler;
    channel->data = data;

    p = (u_char *) &channel[1];

    channel->name.data = p;
    channel->name.len = prefix->len + suffix->len;

    p = ngx_cpymem(p, prefix->data, prefix->len);
    ngx_memcpy(p, suffix->data, suffix->len);

    ngx_redis_greeting_subscribe(&channel->greeting, greeting);

    ngx_redis_link_init(&channel->link, redis, &ngx_redis_channel_hooks,
                        NULL, 0, &channel->greeting);

    channel->link.greeter.channel = &channel->name;
    channel->link.connect_timeout = connect_timeout;

    return channel;
}


void
ngx_redis_channel_destroy(ngx_redis_channel_t *channel)
{
    channel->listening = 0;

    ngx_queue_remove(&channel->link.queue);

    ngx_redis_link_end(&channel->link);

    ngx_free(channel);
}


ngx_redis_link_t *
ngx_redis_channel_link(ngx_redis_channel_t *channel)
{
    return &channel->link;
}


void
ngx_redis_channel_watch(ngx_redis_channel_t *channel, ngx_redis_host_t *host,
    ngx_msec_t patience)
{
    channel->watch = 1;
    channel->patience = patience;

    ngx_redis_site_set(&channel->link.site, host, 1);
}


void
ngx_redis_channel_listen(ngx_redis_channel_t *channel, ngx_uint_t on)
{
    if (channel->listening == on) {
        return;
    }

    channel->listening = on;

    if (channel->link.state == ngx_redis_link_ready) {
        ngx_redis_channel_await(&channel->link);

    } else if (on) {
        ngx_redis_link_wake(&channel->link);
    }
}


void
ngx_redis_channel_wake(ngx_redis_channel_t *channel)
{
    ngx_redis_link_wake(&channel->link);
}


ngx_str_t *
ngx_redis_channel_name(ngx_redis_channel_t *channel)
{
    return (channel->link.state == ngx_redis_link_ready) ? &channel->name
                                                         : NULL;
}


static ngx_uint_t
ngx_redis_channel_wanted(ngx_redis_link_t *link)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    return channel->listening
           && (ngx_msec_int_t) (ngx_current_msec - channel->refused) >= 0;
}


static void
ngx_redis_channel_refused(ngx_redis_link_t *link)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    channel->refused = ngx_current_msec + channel->patience;
}


static void
ngx_redis_channel_ready(ngx_redis_link_t *link)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    channel->pinged = 0;

    ngx_redis_channel_await(link);

    channel->handler(channel->data, NULL);
}


static void
ngx_redis_channel_lost(ngx_redis_link_t *link, ngx_uint_t ready)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    if (ngx_redis_link_wanted(link)) {
        ngx_redis_link_wake(link);
    }

    if (ready && channel->listening) {
        channel->handler(channel->data, NULL);
    }
}


static ngx_int_t
ngx_redis_channel_failed(ngx_redis_link_t *link)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    if (link->redis->map && !channel->watch) {
        ngx_redis_map_trouble(link->redis->map);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_redis_channel_reply(ngx_redis_link_t *link, redisReply *reply)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    ngx_str_t          text;
    const redisReply  *word, *message;

    ngx_redis_link_answered(link);

    channel->pinged = 0;

    /* besides messages there are answers to PING */

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        return NGX_OK;
    }

    word = reply->element[0];
    message = reply->element[2];

    if (word->type != REDIS_REPLY_STRING
        || ngx_strcmp(word->str, "message") != 0
        || message->type != REDIS_REPLY_STRING)
    {
        return NGX_OK;
    }

    text.data = (u_char *) message->str;
    text.len = message->len;

    channel->handler(channel->data, &text);

    return NGX_OK;
}


/* a connection that is dead says nothing, as one on which nothing happens */

static ngx_int_t
ngx_redis_channel_silent(ngx_redis_link_t *link)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    link->stream.overdue = 0;

    if (channel->pinged) {
        ngx_log_error(NGX_LOG_ERR, &link->log, NGX_ETIMEDOUT,
                      "redis was silent for %d ms",
                      2 * NGX_REDIS_CHANNEL_SILENCE);
        return NGX_ERROR;
    }

    channel->pinged = 1;

    /* with no start it is nobody's memory */

    link->greeter.buf.pos = ngx_redis_channel_ping.data;
    link->greeter.buf.last = ngx_redis_channel_ping.data
                             + ngx_redis_channel_ping.len;

    return ngx_redis_stream_send(&link->stream);
}


static void
ngx_redis_channel_await(ngx_redis_link_t *link)
{
    ngx_redis_channel_t *channel = (ngx_redis_channel_t *) link;

    ngx_event_t  *rev;

    rev = link->stream.peer.connection->read;

    if (channel->listening && link->state == ngx_redis_link_ready) {
        ngx_add_timer(rev, NGX_REDIS_CHANNEL_SILENCE);

    } else if (rev->timer_set) {
        ngx_del_timer(rev);
    }
}
