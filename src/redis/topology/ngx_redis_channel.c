
/*
 * A channel of this worker's own, on which scripts tell it what it waits for.
 *
 * A RESP2 connection that has subscribed takes no other commands, so there is
 * a node for it: one whose greeting ends in SUBSCRIBE, and to which Redis then
 * sends messages instead of replies.
 */


#include "redis/conf/ngx_redis_internal.h"


/* milliseconds without a message, after which Redis is asked for a sign of
   life, and as many again until it is given up */
#define NGX_REDIS_CHANNEL_SILENCE  5000

/* milliseconds before a subscription that was refused is tried again: it is
   a matter of access rights */
#define NGX_REDIS_CHANNEL_REFUSED  60000


static ngx_str_t  ngx_redis_channel_ping = ngx_string("*1" CRLF "$4" CRLF
                                                      "PING" CRLF);


ngx_redis_channel_t *
ngx_redis_channel_create(ngx_redis_t *redis, ngx_str_t *prefix,
    ngx_msec_t connect_timeout, ngx_redis_message_pt handler, void *data)
{
    u_char                text[sizeof("channel:") - 1 + 16];
    ngx_str_t             suffix;
    ngx_redis_map_t      *map;
    ngx_redis_channel_t  *channel;

    map = ngx_redis_map_get(redis);
    if (map == NULL) {
        return NULL;
    }

    /* two workers that draw the same are told too much, and no harm is done */

    suffix.data = text;
    suffix.len = ngx_sprintf(text, "channel:%08xD%08xD",
                             (uint32_t) ngx_random(), (uint32_t) ngx_random())
                 - text;

    channel = ngx_redis_channel_open(redis, &redis->greeting, prefix, &suffix,
                                     connect_timeout, handler, data);
    if (channel == NULL) {
        return NULL;
    }

    ngx_redis_map_follow(map, channel);

    return channel;
}


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

    ngx_queue_init(&channel->queue);

    channel->redis = redis;
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

    channel->node = ngx_redis_node_create(redis, NULL, 0, &channel->greeting);
    if (channel->node == NULL) {
        ngx_redis_channel_destroy(channel);
        return NULL;
    }

    channel->node->channel = channel;
    channel->node->connect_timeout = connect_timeout;

    return channel;
}


void
ngx_redis_channel_destroy(ngx_redis_channel_t *channel)
{
    channel->listening = 0;

    ngx_queue_remove(&channel->queue);

    if (channel->node) {
        ngx_redis_node_destroy(channel->node);
    }

    ngx_free(channel);
}


void
ngx_redis_channel_listen(ngx_redis_channel_t *channel, ngx_uint_t on)
{
    if (channel->listening == on) {
        return;
    }

    channel->listening = on;

    if (channel->node->state == ngx_redis_node_ready) {
        ngx_redis_channel_await(channel);

    } else if (on) {
        ngx_redis_node_wake(channel->node);
    }
}


ngx_str_t *
ngx_redis_channel_name(ngx_redis_channel_t *channel)
{
    return (channel->node->state == ngx_redis_node_ready) ? &channel->name
                                                          : NULL;
}


ngx_uint_t
ngx_redis_channel_wanted(ngx_redis_channel_t *channel)
{
    return channel->listening
           && (ngx_msec_int_t) (ngx_current_msec - channel->refused) >= 0;
}


void
ngx_redis_channel_refused(ngx_redis_channel_t *channel)
{
    channel->refused = ngx_current_msec + channel->patience;
}


void
ngx_redis_channel_subscribed(ngx_redis_channel_t *channel)
{
    channel->pinged = 0;

    ngx_redis_channel_await(channel);

    channel->handler(channel->data, NULL);
}


void
ngx_redis_channel_lost(ngx_redis_channel_t *channel)
{
    if (channel->listening) {
        channel->handler(channel->data, NULL);
    }
}


void
ngx_redis_channel_reply(ngx_redis_channel_t *channel, const redisReply *reply)
{
    ngx_str_t          text;
    const redisReply  *word, *message;

    channel->pinged = 0;

    /* besides messages there are answers to PING */

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
        return;
    }

    word = reply->element[0];
    message = reply->element[2];

    if (word->type != REDIS_REPLY_STRING
        || ngx_strcmp(word->str, "message") != 0
        || message->type != REDIS_REPLY_STRING)
    {
        return;
    }

    text.data = (u_char *) message->str;
    text.len = message->len;

    channel->handler(channel->data, &text);
}


/* a connection that is dead says nothing, as one on which nothing happens */

ngx_int_t
ngx_redis_channel_silent(ngx_redis_channel_t *channel)
{
    ngx_redis_node_t  *node;

    node = channel->node;

    if (channel->pinged) {
        ngx_log_error(NGX_LOG_ERR, &node->log, NGX_ETIMEDOUT,
                      "redis was silent for %d ms",
                      2 * NGX_REDIS_CHANNEL_SILENCE);
        return NGX_ERROR;
    }

    channel->pinged = 1;

    node->greeting.pos = ngx_redis_channel_ping.data;
    node->greeting.last = ngx_redis_channel_ping.data
                          + ngx_redis_channel_ping.len;

    ngx_redis_send(node);

    return NGX_OK;
}


void
ngx_redis_channel_await(ngx_redis_channel_t *channel)
{
    ngx_event_t  *rev;

    rev = channel->node->peer.connection->read;

    if (channel->listening && channel->node->state == ngx_redis_node_ready) {
        ngx_add_timer(rev, NGX_REDIS_CHANNEL_SILENCE);

    } else if (rev->timer_set) {
        ngx_del_timer(rev);
    }
}
