
/*
 * TLS, by nginx' own functions: verified unless told otherwise, before the
 * first byte of Redis' protocol is written.
 *
 * A server that answers in the clear may do so before it is asked, or at any
 * time later.  OpenSSL's word for that is a wrong version.  So until the first
 * byte is there and has been looked at, OpenSSL reads from a place where there
 * is nothing.
 */


#include "redis/transport/ngx_redis_tls.h"


/* types of records, with one of which a server's first flight begins */
#define NGX_REDIS_TLS_ALERT       0x15
#define NGX_REDIS_TLS_HANDSHAKE   0x16


#if (NGX_SSL)

static ngx_int_t ngx_redis_tls_hold(ngx_connection_t *c);
static void ngx_redis_tls_watch(ngx_redis_stream_t *stream);
static void ngx_redis_tls_event(ngx_event_t *ev);
static ngx_int_t ngx_redis_tls_look(ngx_redis_stream_t *stream);
static void ngx_redis_tls_handler(ngx_connection_t *c);
static ngx_int_t ngx_redis_tls_check(ngx_redis_stream_t *stream);
static ngx_int_t ngx_redis_tls_check_name(ngx_connection_t *c,
    ngx_str_t *name);
static ngx_int_t ngx_redis_tls_set_name(ngx_connection_t *c, ngx_str_t *name);
static void ngx_redis_tls_save_session(ngx_connection_t *c);
static ngx_str_t *ngx_redis_tls_name(ngx_redis_stream_t *stream);


ngx_int_t
ngx_redis_tls_start(ngx_redis_stream_t *stream)
{
    ngx_int_t          rc, looked;
    ngx_connection_t  *c;

    c = stream->peer.connection;

    c->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 16, stream->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ssl_create_connection(&stream->redis->tls->ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_redis_tls_set_name(c, ngx_redis_tls_name(stream)) != NGX_OK) {
        return NGX_ERROR;
    }

    c->ssl->save_session = ngx_redis_tls_save_session;

    if (stream->site->session
        && ngx_ssl_set_session(c, stream->site->session) != NGX_OK)
    {
        return NGX_ERROR;
    }

    looked = ngx_redis_tls_look(stream);

    if (looked == NGX_ERROR
        || (looked == NGX_AGAIN && ngx_redis_tls_hold(c) != NGX_OK))
    {
        return NGX_ERROR;
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = ngx_redis_tls_handler;

        if (looked == NGX_AGAIN) {
            ngx_redis_tls_watch(stream);
        }

        return NGX_AGAIN;
    }

    return (rc == NGX_OK) ? ngx_redis_tls_check(stream) : NGX_ERROR;
}


/* writing goes on */

static ngx_int_t
ngx_redis_tls_hold(ngx_connection_t *c)
{
    BIO  *nothing;

    nothing = BIO_new(BIO_s_mem());
    if (nothing == NULL) {
        ngx_ssl_error(NGX_LOG_CRIT, c->log, 0, "BIO_new() failed");
        return NGX_ERROR;
    }

    SSL_set0_rbio(c->ssl->connection, nothing);

    return NGX_OK;
}


static void
ngx_redis_tls_watch(ngx_redis_stream_t *stream)
{
    ngx_connection_t  *c;

    c = stream->peer.connection;

    stream->handshake = c->read->handler;

    c->read->handler = ngx_redis_tls_event;
    c->write->handler = ngx_redis_tls_event;
}


static void
ngx_redis_tls_event(ngx_event_t *ev)
{
    ngx_int_t            looked;
    ngx_connection_t    *c;
    ngx_redis_stream_t  *stream;

    c = ev->data;
    stream = c->data;

    looked = ngx_redis_tls_look(stream);

    if (looked == NGX_ERROR
        || (looked == NGX_OK && SSL_set_rfd(c->ssl->connection, c->fd) != 1))
    {
        stream->hooks->failed(stream);
        return;
    }

    c->read->handler = stream->handshake;
    c->write->handler = stream->handshake;

    ev->handler(ev);

    /* it may be gone */

    if (looked == NGX_AGAIN && stream->peer.connection == c) {
        ngx_redis_tls_watch(stream);
    }
}


/*
 * At the first byte: NGX_AGAIN, there is none yet; NGX_OK, OpenSSL may read,
 * be it the end; NGX_ERROR, it is none of TLS.
 */

static ngx_int_t
ngx_redis_tls_look(ngx_redis_stream_t *stream)
{
    u_char             type;
    ssize_t            n;
    ngx_connection_t  *c;

    c = stream->peer.connection;

    n = recv(c->fd, &type, 1, MSG_PEEK);

    if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
        return NGX_AGAIN;
    }

    stream->spoke = (n == 1);

    if (n != 1
        || type == NGX_REDIS_TLS_HANDSHAKE
        || type == NGX_REDIS_TLS_ALERT)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, c->log, 0,
                  "redis does not speak TLS at this port, for which a URL "
                  "begins with \"redis\" instead of \"rediss\"");

    return NGX_ERROR;
}


static void
ngx_redis_tls_handler(ngx_connection_t *c)
{
    ngx_redis_stream_t  *stream;

    stream = c->data;

    if (c->ssl->handshaked && ngx_redis_tls_check(stream) == NGX_OK) {
        c->read->handler = ngx_redis_stream_read_handler;
        c->write->handler = ngx_redis_stream_write_handler;

        stream->hooks->secured(stream);
        return;
    }

    if (c->write->timedout) {
        stream->hooks->timed_out(stream);
        return;
    }

    stream->hooks->failed(stream);
}


static ngx_int_t
ngx_redis_tls_check(ngx_redis_stream_t *stream)
{
    long               rc;
    ngx_str_t         *name;
    ngx_connection_t  *c;

    if (!stream->redis->tls->verify) {
        return NGX_OK;
    }

    c = stream->peer.connection;

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "redis certificate verify error: (%l:%s)",
                      rc, X509_verify_cert_error_string(rc));
        ngx_redis_site_forget_session(stream->site);
        return NGX_ERROR;
    }

    name = ngx_redis_tls_name(stream);

    if (ngx_redis_tls_check_name(c, name) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "redis certificate does not match \"%V\"", name);
        ngx_redis_site_forget_session(stream->site);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_redis_tls_check_name(ngx_connection_t *c, ngx_str_t *name)
{
    int    rc;
    X509  *cert;

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return NGX_ERROR;
    }

    if (ngx_redis_host_literal(name)) {
        rc = X509_check_ip_asc(cert, (const char *) name->data, 0);

    } else {
        rc = X509_check_host(cert, (const char *) name->data, name->len, 0,
                             NULL);
    }

    X509_free(cert);

    return (rc == 1) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_redis_tls_set_name(ngx_connection_t *c, ngx_str_t *name)
{
    /* an address is no name (RFC 6066, section 3) */

    if (ngx_redis_host_literal(name)) {
        return NGX_OK;
    }

    if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) name->data)
        == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%V\") failed", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_str_t *
ngx_redis_tls_name(ngx_redis_stream_t *stream)
{
    ngx_str_t  *name;

    name = &stream->redis->tls->name;

    return name->len ? name : &stream->site->hosts[stream->site->host].name;
}


static void
ngx_redis_tls_save_session(ngx_connection_t *c)
{
    ngx_ssl_session_t   *session;
    ngx_redis_stream_t  *stream;

    stream = c->data;

    session = ngx_ssl_get_session(c);

    if (session) {
        ngx_redis_site_forget_session(stream->site);
        stream->site->session = session;
    }
}


void
ngx_redis_tls_close(ngx_connection_t *c)
{
    if (c->ssl == NULL) {
        return;
    }

    c->ssl->no_wait_shutdown = 1;

    if (ngx_ssl_shutdown(c) == NGX_AGAIN) {

        /* even the alert cannot be written: without it */

        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }
}


void
ngx_redis_tls_overwrite(ngx_connection_t *c)
{
    ngx_buf_t  *b;

    b = c->ssl ? c->ssl->buf : NULL;

    if (b && b->start) {
        ngx_explicit_memzero(b->start, b->end - b->start);
    }
}


#else


ngx_int_t
ngx_redis_tls_start(ngx_redis_stream_t *stream)
{
    return NGX_ERROR;
}


void
ngx_redis_tls_close(ngx_connection_t *c)
{
}


void
ngx_redis_tls_overwrite(ngx_connection_t *c)
{
}


#endif
