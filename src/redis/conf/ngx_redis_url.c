
/*
 * The directive's words: which Redis, or which ones, and how to find them.
 *
 *     redis://[user@]host[:port][/db]
 *     redis+sentinel://[user@]host[:port],.../master[/db]
 *     redis+cluster://[user@]host[:port],...[/db]
 *     unix:/path[?db=db]
 *
 * and the first three as rediss, with TLS.
 */


#include "redis/conf/ngx_redis_url.h"
#include "redis/conf/ngx_redis_conf.h"
#include "redis/conf/ngx_redis_hosts.h"


#define NGX_REDIS_PORT            6379
#define NGX_REDIS_SENTINEL_PORT   26379
#define NGX_REDIS_MAX_DB          0x7fffffff


typedef struct {
    ngx_str_t                prefix;
    ngx_redis_topology_e     topology;
    ngx_uint_t               secure;
    in_port_t                port;
} ngx_redis_scheme_t;


static ngx_int_t ngx_redis_tcp_url(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url, ngx_redis_scheme_t *scheme);
static ngx_int_t ngx_redis_url_user(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *rest);
static ngx_int_t ngx_redis_url_path(ngx_conf_t *cf, ngx_redis_t *redis,
    u_char *p, u_char *last);
static ngx_int_t ngx_redis_unix_url(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url);
static ngx_int_t ngx_redis_url_parameters(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url, u_char *p);
static ngx_int_t ngx_redis_url_db(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url, u_char *p, u_char *last);


static ngx_redis_scheme_t  ngx_redis_schemes[] = {
    { ngx_string("redis://"), ngx_redis_single, 0, NGX_REDIS_PORT },
    { ngx_string("rediss://"), ngx_redis_single, 1, NGX_REDIS_PORT },
    { ngx_string("redis+sentinel://"), ngx_redis_sentinel, 0,
      NGX_REDIS_SENTINEL_PORT },
    { ngx_string("rediss+sentinel://"), ngx_redis_sentinel, 1,
      NGX_REDIS_SENTINEL_PORT },
    { ngx_string("redis+cluster://"), ngx_redis_cluster, 0, NGX_REDIS_PORT },
    { ngx_string("rediss+cluster://"), ngx_redis_cluster, 1, NGX_REDIS_PORT },
    { ngx_null_string, ngx_redis_single, 0, 0 }
};


/*
 * What is wrong with a URL is said without repeating it before it is known to
 * hold no password.
 */

ngx_int_t
ngx_redis_url(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url)
{
    ngx_str_t           *prefix;
    ngx_redis_scheme_t  *scheme;

    if (ngx_strncmp(url->data, "unix:", 5) == 0) {
        return ngx_redis_unix_url(cf, redis, url);
    }

    for (scheme = ngx_redis_schemes; scheme->prefix.len; scheme++) {
        prefix = &scheme->prefix;

        if (url->len < prefix->len
            || ngx_strncmp(url->data, prefix->data, prefix->len) != 0)
        {
            continue;
        }

#if !(NGX_SSL)

        if (scheme->secure) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "this nginx is built without SSL: "
                               "\"%V\" cannot be used", prefix);
            return NGX_ERROR;
        }

#endif

        return ngx_redis_tcp_url(cf, redis, url, scheme);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "a Redis URL begins with \"redis://\", "
                       "\"redis+sentinel://\", \"redis+cluster://\", "
                       "the same with \"rediss\", or \"unix:/\"");

    return NGX_ERROR;
}


static ngx_int_t
ngx_redis_tcp_url(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url,
    ngx_redis_scheme_t *scheme)
{
    u_char     *p, *last, *slash;
    ngx_str_t   rest;

    redis->topology = scheme->topology;
    redis->secure = scheme->secure;

    rest.data = url->data + scheme->prefix.len;
    rest.len = url->len - scheme->prefix.len;

    if (ngx_redis_url_user(cf, redis, &rest) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->cycle->pool, scheme->prefix.len + rest.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    redis->name.data = p;
    redis->name.len = ngx_sprintf(p, "%V%V", &scheme->prefix, &rest) - p;

    last = rest.data + rest.len;

    if (ngx_strlchr(rest.data, last, '?')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a \"%V\" URL has no \"?\" parameters",
                           &scheme->prefix);
        return NGX_ERROR;
    }

    slash = ngx_strlchr(rest.data, last, '/');

    if (ngx_redis_url_path(cf, redis, slash, last) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_redis_hosts(cf, redis, rest.data, slash ? slash : last,
                           scheme->port);
}


static ngx_int_t
ngx_redis_url_user(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *rest)
{
    u_char  *p, *at, *last;

    last = rest->data + rest->len;

    /* the last "@": a password might hold one, and must not pass for a host */

    at = NULL;

    for (p = rest->data; p < last; p++) {
        if (*p == '@') {
            at = p;
        }
    }

    if (at == NULL) {
        return NGX_OK;
    }

    if (at == rest->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no user before \"@\" in the Redis URL");
        return NGX_ERROR;
    }

    for (p = rest->data; p < at; p++) {

        if (*p <= ' ' || *p == 0x7f || ngx_strchr(":/?#@%", *p)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "only a user name, and no password, stands "
                               "before \"@\" in a Redis URL; "
                               "use \"password_file=\"");
            return NGX_ERROR;
        }
    }

    redis->user.data = rest->data;
    redis->user.len = at - rest->data;

    rest->data = at + 1;
    rest->len = last - rest->data;

    return NGX_OK;
}


/* "slash" begins the path, or is NULL */

static ngx_int_t
ngx_redis_url_path(ngx_conf_t *cf, ngx_redis_t *redis, u_char *slash,
    u_char *last)
{
    u_char  *p;

    switch (redis->topology) {

    case ngx_redis_single:
        break;

    case ngx_redis_sentinel:

        p = slash ? slash + 1 : last;

        slash = ngx_strlchr(p, last, '/');

        redis->master.len = (slash ? slash : last) - p;
        redis->master.data = ngx_pnalloc(cf->cycle->pool,
                                         redis->master.len + 1);
        if (redis->master.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_cpystrn(redis->master.data, p, redis->master.len + 1);

        if (redis->master.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no name of a master in Redis URL \"%V\": "
                               "it follows the sentinels, after a \"/\"",
                               &redis->name);
            return NGX_ERROR;
        }

        break;

    case ngx_redis_cluster:             /* more than one since Valkey 9 */
        break;
    }

    if (slash == NULL) {
        return NGX_OK;
    }

    return ngx_redis_url_db(cf, redis, &redis->name, slash + 1, last);
}


static ngx_int_t
ngx_redis_unix_url(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url)
{
    u_char  *last, *args;

    last = url->data + url->len;
    args = ngx_strlchr(url->data, last, '?');

    redis->name.data = url->data;
    redis->name.len = (args ? args : last) - url->data;

    if (url->data[sizeof("unix:") - 1] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the path in Redis URL \"%V\" is not absolute",
                           &redis->name);
        return NGX_ERROR;
    }

    if (args && ngx_redis_url_parameters(cf, redis, url, args + 1) != NGX_OK) {
        return NGX_ERROR;
    }

    redis->hosts = ngx_pcalloc(cf->cycle->pool, sizeof(ngx_redis_host_t));
    if (redis->hosts == NULL) {
        return NGX_ERROR;
    }

    redis->nhosts = 1;

    return ngx_redis_host(cf, redis, redis->hosts, &redis->name, 0);
}


/* a password may stand where "db" should: only what was read is repeated */

static ngx_int_t
ngx_redis_url_parameters(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url,
    u_char *p)
{
    u_char      *end, *last;
    ngx_str_t    read;
    ngx_uint_t   seen;

    last = url->data + url->len;

    for (seen = 0; /* void */; seen = 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if (end - p < 3 || ngx_strncmp(p, "db=", 3) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a parameter other than \"db\" "
                               "in Redis URL \"%V\"", &redis->name);
            return NGX_ERROR;
        }

        read.data = url->data;
        read.len = end - url->data;

        if (seen) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"db\" in Redis URL \"%V\"", &read);
            return NGX_ERROR;
        }

        if (ngx_redis_url_db(cf, redis, &read, p + 3, end) != NGX_OK) {
            return NGX_ERROR;
        }

        if (end == last) {
            return NGX_OK;
        }

        p = end + 1;
    }
}


static ngx_int_t
ngx_redis_url_db(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url, u_char *p,
    u_char *last)
{
    ngx_int_t  db;

    db = ngx_atoi(p, last - p);

    if (db == NGX_ERROR || db > NGX_REDIS_MAX_DB) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid database number in Redis URL \"%V\"",
                           url);
        return NGX_ERROR;
    }

    redis->db = db;

    return NGX_OK;
}
