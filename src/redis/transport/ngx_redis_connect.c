
/*
 * From an address to a connection that is to be greeted; and why there is none.
 */


#include "redis/transport/ngx_redis_connect.h"
#include "redis/transport/ngx_redis_intake.h"
#include "redis/transport/ngx_redis_socket.h"
#include "redis/transport/ngx_redis_tls.h"


static void ngx_redis_connect_address(ngx_redis_link_t *link);


void
ngx_redis_connect(ngx_redis_link_t *link)
{
    ngx_redis_t       *redis;
    ngx_redis_site_t  *site;

    redis = link->redis;
    site = &link->site;

    if (site->tried == 0 && site->unlucky == 0) {
        ngx_redis_backoff_try(link->tries);
    }

    if (site->tried == 0
        && redis->resolver && !site->hosts[site->host].literal)
    {
        link->log.action = "resolving";
        link->state = ngx_redis_link_resolving;

        ngx_redis_resolve(&link->resolve, site, redis->resolver,
                          ngx_min(redis->resolver_timeout,
                                  link->connect_timeout));
        return;
    }

    ngx_redis_connect_address(link);
}


void
ngx_redis_connect_resolved(void *data)
{
    ngx_redis_link_t *link = data;

    ngx_redis_connect_address(link);
}


static void
ngx_redis_connect_address(ngx_redis_link_t *link)
{
    ngx_int_t          rc;
    ngx_addr_t        *addr;
    ngx_redis_site_t  *site;

    link->state = ngx_redis_link_connecting;

    site = &link->site;
    addr = ngx_redis_site_address(site);

    if (addr == NULL) {

        /* what the resolver says has been logged */

        if (link->redis->resolver == NULL) {
            ngx_log_error(NGX_LOG_ERR, &link->log, 0,
                          "no address of \"%V\" is known, a resolver might "
                          "help", &site->hosts[site->host].name);
        }

        ngx_redis_link_failed(link);
        return;
    }

    link->log.action = "connecting to";
    site->peer = &addr->name;

    rc = ngx_redis_stream_connect(&link->stream, addr, link->connect_timeout);

    if (site->tried == 0 && site->unlucky == 0) {
        ngx_redis_backoff_tried(link->tries);
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_redis_link_failed(link);
        return;
    }

    ngx_redis_link_live(link);

    link->step = ngx_current_msec;

    if (rc == NGX_OK) {
        (void) ngx_redis_connect_opened(&link->stream);
    }
}


ngx_int_t
ngx_redis_connect_opened(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    if (ngx_redis_socket_test(stream->peer.connection) != NGX_OK
        || ngx_tcp_nodelay(stream->peer.connection) != NGX_OK)
    {
        ngx_redis_link_failed(link);
        return NGX_ERROR;
    }

    link->step = ngx_current_msec;

    if (!link->redis->secure) {
        ngx_redis_connect_secured(stream);
        return (link->state == ngx_redis_link_greeting) ? NGX_OK : NGX_ERROR;
    }

    link->log.action = "TLS handshaking with";
    link->state = ngx_redis_link_securing;

    switch (ngx_redis_tls_start(stream)) {

    case NGX_OK:
        ngx_redis_connect_secured(stream);
        break;

    case NGX_AGAIN:
        break;

    default: /* NGX_ERROR */
        ngx_redis_link_failed(link);
    }

    return (link->state == ngx_redis_link_greeting) ? NGX_OK : NGX_ERROR;
}


void
ngx_redis_connect_secured(ngx_redis_stream_t *stream)
{
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);
    link->step = ngx_current_msec;

    if (ngx_redis_intake_begin(stream) != NGX_OK) {
        ngx_redis_link_failed(link);
        return;
    }

    link->log.action = "greeting";

    link->state = ngx_redis_link_greeting;

    if (ngx_redis_greeting_start(&link->greeter) != NGX_OK) {
        ngx_redis_link_failed(link);
        return;
    }

    ngx_redis_link_send(link);
}


void
ngx_redis_connect_hung_up(ngx_redis_stream_t *stream, ssize_t n)
{
    ngx_uint_t         awaited, level;
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    awaited = link->hooks->hung_up && link->hooks->hung_up(link);

    if (!stream->spoke
        && !link->redis->secure
        && stream->peer.sockaddr->sa_family != AF_UNIX)
    {
        ngx_log_error(NGX_LOG_ERR, &link->log, 0,
                      "redis closed the connection without a word, as it does "
                      "at a port for TLS: a URL for that begins with "
                      "\"rediss\"");
        return;
    }

    if (n) {
        return;                         /* logged when it was read */
    }

    /* an idle connection may be closed by Redis' own "timeout", and whoever has
       forgotten one, and hears of it late, closes it */

    level = (link->state == ngx_redis_link_ready && !awaited) ? NGX_LOG_WARN
                                                              : NGX_LOG_ERR;

    ngx_log_error(level, &link->log, 0, "redis closed the connection");
}


void
ngx_redis_connect_timed_out(ngx_redis_stream_t *stream)
{
    ngx_str_t          step;
    ngx_redis_link_t  *link;

    link = ngx_redis_link_of(stream);

    switch (link->state) {

    case ngx_redis_link_securing:

        if (!stream->spoke) {
            ngx_log_error(NGX_LOG_ERR, &link->log,
                          NGX_ETIMEDOUT,
                          "redis timed out at TLS without a word: connecting, "
                          "TLS and AUTH together have %M ms, of which %M ms "
                          "had passed before it; a port without TLS is silent, "
                          "too, and a URL for that begins with \"redis\"",
                          link->connect_timeout, link->step - stream->started);
            ngx_redis_link_failed(link);
            return;
        }

        ngx_str_set(&step, "TLS");
        break;

    case ngx_redis_link_greeting:
        step = *ngx_redis_greeting_step(&link->greeter);
        break;

    default: /* ngx_redis_link_connecting */
        ngx_str_set(&step, "connecting");
    }

    ngx_log_error(NGX_LOG_ERR, &link->log, NGX_ETIMEDOUT,
                  "redis timed out at %V: connecting, TLS and AUTH together "
                  "have %M ms, of which %M ms had passed before it",
                  &step, link->connect_timeout, link->step - stream->started);

    ngx_redis_link_failed(link);
}
