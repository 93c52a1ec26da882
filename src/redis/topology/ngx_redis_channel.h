
/*
 * A channel: a link that hears messages.
 */

#ifndef _NGX_REDIS_CHANNEL_H_INCLUDED_
#define _NGX_REDIS_CHANNEL_H_INCLUDED_


#include "redis/conf/ngx_redis_greeting_conf.h"
#include "redis/conf/ngx_redis_host.h"


/* named by both texts; its link, without a host, greets with "greeting" */
ngx_redis_channel_t *ngx_redis_channel_open(ngx_redis_t *redis,
    ngx_redis_greeting_t *greeting, ngx_str_t *prefix, ngx_str_t *suffix,
    ngx_msec_t connect_timeout, ngx_redis_message_pt handler, void *data);
void ngx_redis_channel_destroy(ngx_redis_channel_t *channel);

/* what follows the master */
struct ngx_redis_link_s *ngx_redis_channel_link(ngx_redis_channel_t *channel);

/* of a guide, which is at "host"; a refusal holds for "patience" ms */
void ngx_redis_channel_watch(ngx_redis_channel_t *channel,
    ngx_redis_host_t *host, ngx_msec_t patience);

/*
 * Keeps the channel subscribed while "on".  Afterwards the connection stays,
 * but is not made again.
 */
void ngx_redis_channel_listen(ngx_redis_channel_t *channel, ngx_uint_t on);

/* the connection is made, if it is time */
void ngx_redis_channel_wake(ngx_redis_channel_t *channel);

/* NULL while it is not subscribed */
ngx_str_t *ngx_redis_channel_name(ngx_redis_channel_t *channel);


#endif /* _NGX_REDIS_CHANNEL_H_INCLUDED_ */
