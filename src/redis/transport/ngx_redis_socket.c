
/*
 * What is asked of the system about a connection.
 */


#include "redis/transport/ngx_redis_socket.h"


/* Seconds of an idle connection until its first probe and between two, and how
   many without an answer end it. */
#define NGX_REDIS_KEEPIDLE        10
#define NGX_REDIS_KEEPINTVL       3
#define NGX_REDIS_KEEPCNT         3


/*
 * Probes keep a NAT from forgetting the connection, and find out when it has:
 * the system's own begin after two hours.  A command that is not acknowledged
 * is noticed sooner than TCP_USER_TIMEOUT could.
 */

void
ngx_redis_socket_keepalive(ngx_connection_t *c)
{
#if (NGX_HAVE_KEEPALIVE_TUNABLE)

    int         value;
    ngx_uint_t  i;

    static const struct {
        int          name;
        int          value;
        const char  *text;
    } options[] = {
        { TCP_KEEPIDLE, NGX_REDIS_KEEPIDLE, "TCP_KEEPIDLE" },
        { TCP_KEEPINTVL, NGX_REDIS_KEEPINTVL, "TCP_KEEPINTVL" },
        { TCP_KEEPCNT, NGX_REDIS_KEEPCNT, "TCP_KEEPCNT" }
    };

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        value = options[i].value;

#if (NGX_KEEPALIVE_FACTOR)
        if (options[i].name != TCP_KEEPCNT) {
            value *= NGX_KEEPALIVE_FACTOR;
        }
#endif

        if (setsockopt(c->fd, IPPROTO_TCP, options[i].name,
                       (const void *) &value, sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_CRIT, c->log, ngx_socket_errno,
                          "setsockopt(%s) failed, ignored", options[i].text);
            return;
        }
    }

#endif
}


ngx_int_t
ngx_redis_socket_test(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

#if (NGX_HAVE_KQUEUE)

    if (ngx_event_flags & NGX_USE_KQUEUE_EVENT) {

        if (c->write->pending_eof || c->read->pending_eof) {
            err = c->write->pending_eof ? c->write->kq_errno
                                        : c->read->kq_errno;

            (void) ngx_connection_error(c, err,
                                    "kevent() reported that connect() failed");
            return NGX_ERROR;
        }

        return NGX_OK;
    }

#endif

    err = 0;
    len = sizeof(int);

    /* some systems leave the error in err, others return it */

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_redis_socket_reset(ngx_connection_t *c)
{
    struct linger  linger;

    linger.l_onoff = 1;
    linger.l_linger = 0;

    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, (const void *) &linger,
                   sizeof(struct linger))
        == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, c->log, ngx_socket_errno,
                      "setsockopt(%s) failed, ignored", "SO_LINGER");
    }
}
