
#include "ngx_redis_internal.h"


#define NGX_REDIS_PORT            6379
#define NGX_REDIS_MAX_DB          0x7fffffff
#define NGX_REDIS_MAX_PASSWORD    1024


static ngx_int_t ngx_redis_words(ngx_conf_t *cf, ngx_str_t *words,
    ngx_str_t *args, ngx_uint_t nargs);
static ngx_int_t ngx_redis_url(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url);
static ngx_int_t ngx_redis_tcp_url(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url);
static ngx_int_t ngx_redis_url_user(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *rest);
static ngx_int_t ngx_redis_unix_url(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *url);
static ngx_int_t ngx_redis_url_parameters(ngx_conf_t *cf, ngx_redis_t *redis,
    u_char *p, u_char *last);
static ngx_int_t ngx_redis_url_db(ngx_conf_t *cf, ngx_redis_t *redis,
    u_char *p, u_char *last);
static ngx_int_t ngx_redis_addresses(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *address);
static ngx_int_t ngx_redis_parameters(ngx_conf_t *cf, ngx_redis_t *redis,
    ngx_str_t *args, ngx_uint_t nargs);
static ngx_int_t ngx_redis_parameter(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *arg);
static ngx_int_t ngx_redis_read_password(ngx_conf_t *cf, ngx_str_t *file,
    u_char *buf, ngx_str_t *password);


static ngx_str_t  ngx_redis_unsupported[] = {
    ngx_string("rediss://"),
    ngx_string("redis+sentinel://"),
    ngx_string("rediss+sentinel://"),
    ngx_string("redis+cluster://"),
    ngx_string("rediss+cluster://"),
    ngx_null_string
};


ngx_redis_t *
ngx_redis_add(ngx_conf_t *cf, ngx_array_t *nodes, ngx_str_t *args,
    ngx_uint_t nargs)
{
    ngx_str_t      words;
    ngx_uint_t     i;
    ngx_redis_t   *redis, **slot;

    if (ngx_redis_words(cf, &words, args, nargs) != NGX_OK) {
        return NULL;
    }

    slot = nodes->elts;

    for (i = 0; i < nodes->nelts; i++) {
        if (slot[i]->words.len == words.len
            && ngx_memcmp(slot[i]->words.data, words.data, words.len) == 0)
        {
            return slot[i];
        }
    }

    redis = ngx_pcalloc(cf->cycle->pool, sizeof(ngx_redis_t));
    if (redis == NULL) {
        return NULL;
    }

    redis->words = words;

    if (ngx_redis_url(cf, redis, &args[0]) != NGX_OK
        || ngx_redis_parameters(cf, redis, &args[1], nargs - 1) != NGX_OK)
    {
        return NULL;
    }

    slot = ngx_array_push(nodes);
    if (slot == NULL) {
        return NULL;
    }

    *slot = redis;

    return redis;
}


ngx_uint_t
ngx_redis_same(ngx_redis_t *one, ngx_redis_t *two)
{
    ngx_uint_t  i, n;

    if (one->db != two->db) {
        return 0;
    }

    for (i = 0; i < one->naddrs; i++) {
        for (n = 0; n < two->naddrs; n++) {

            if (ngx_cmp_sockaddr(one->addrs[i].sockaddr, one->addrs[i].socklen,
                                 two->addrs[n].sockaddr, two->addrs[n].socklen,
                                 1)
                == NGX_OK)
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_redis_words(ngx_conf_t *cf, ngx_str_t *words, ngx_str_t *args,
    ngx_uint_t nargs)
{
    u_char      *p;
    ngx_uint_t   i;

    words->len = 0;

    for (i = 0; i < nargs; i++) {
        words->len += args[i].len + 1;
    }

    words->data = ngx_pnalloc(cf->cycle->pool, words->len);
    if (words->data == NULL) {
        return NGX_ERROR;
    }

    p = words->data;

    for (i = 0; i < nargs; i++) {
        p = ngx_cpymem(p, args[i].data, args[i].len);
        *p++ = '\0';
    }

    return NGX_OK;
}


/*
 * What is wrong with a URL is said without repeating it before it is known to
 * hold no password.
 */

static ngx_int_t
ngx_redis_url(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url)
{
    ngx_str_t  *s;

    if (ngx_strncmp(url->data, "redis://", sizeof("redis://") - 1) == 0) {
        return ngx_redis_tcp_url(cf, redis, url);
    }

    if (ngx_strncmp(url->data, "unix:", sizeof("unix:") - 1) == 0) {
        return ngx_redis_unix_url(cf, redis, url);
    }

    for (s = ngx_redis_unsupported; s->len; s++) {

        if (ngx_strncmp(url->data, s->data, s->len) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "this build does not support \"%V\" URLs", s);
            return NGX_ERROR;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "a Redis URL begins with \"redis://\" or \"unix:/\"");

    return NGX_ERROR;
}


static ngx_int_t
ngx_redis_tcp_url(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *url)
{
    u_char     *p, *last, *slash;
    ngx_str_t   rest, address;

    rest.data = url->data + sizeof("redis://") - 1;
    rest.len = url->len - (sizeof("redis://") - 1);

    if (ngx_redis_url_user(cf, redis, &rest) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->cycle->pool, sizeof("redis://") - 1 + rest.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    redis->name.data = p;
    redis->name.len = ngx_sprintf(p, "redis://%V", &rest) - p;

    last = rest.data + rest.len;

    if (ngx_strlchr(rest.data, last, '?')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a \"redis://\" URL has no \"?\" parameters");
        return NGX_ERROR;
    }

    slash = ngx_strlchr(rest.data, last, '/');

    if (slash && ngx_redis_url_db(cf, redis, slash + 1, last) != NGX_OK) {
        return NGX_ERROR;
    }

    address.data = rest.data;
    address.len = (slash ? slash : last) - rest.data;

    return ngx_redis_addresses(cf, redis, &address);
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

    if (args && ngx_redis_url_parameters(cf, redis, args + 1, last) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_redis_addresses(cf, redis, &redis->name);
}


static ngx_int_t
ngx_redis_url_parameters(ngx_conf_t *cf, ngx_redis_t *redis, u_char *p,
    u_char *last)
{
    u_char      *end;
    ngx_uint_t   seen;

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

        if (seen) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"db\" in Redis URL \"%V\"",
                               &redis->name);
            return NGX_ERROR;
        }

        if (ngx_redis_url_db(cf, redis, p + 3, end) != NGX_OK) {
            return NGX_ERROR;
        }

        if (end == last) {
            return NGX_OK;
        }

        p = end + 1;
    }
}


static ngx_int_t
ngx_redis_url_db(ngx_conf_t *cf, ngx_redis_t *redis, u_char *p, u_char *last)
{
    ngx_int_t  db;

    db = ngx_atoi(p, last - p);

    if (db == NGX_ERROR || db > NGX_REDIS_MAX_DB) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid database number in Redis URL \"%V\"",
                           &redis->name);
        return NGX_ERROR;
    }

    redis->db = db;

    return NGX_OK;
}


static ngx_int_t
ngx_redis_addresses(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *address)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *address;
    u.default_port = NGX_REDIS_PORT;

    if (ngx_parse_url(cf->cycle->pool, &u) != NGX_OK) {

        if (u.err) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in Redis URL \"%V\"", u.err, &redis->name);
        }

        return NGX_ERROR;
    }

    redis->addrs = u.addrs;
    redis->naddrs = u.naddrs;

    return NGX_OK;
}


static ngx_int_t
ngx_redis_parameters(ngx_conf_t *cf, ngx_redis_t *redis, ngx_str_t *args,
    ngx_uint_t nargs)
{
    u_char      buf[NGX_REDIS_MAX_PASSWORD + 2];
    ngx_int_t   rc;
    ngx_str_t   file, password;
    ngx_uint_t  i;

    ngx_str_null(&file);
    ngx_str_null(&password);

    for (i = 0; i < nargs; i++) {
        if (ngx_redis_parameter(cf, &file, &args[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (file.data == NULL && redis->user.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a user in a Redis URL needs \"password_file=\"");
        return NGX_ERROR;
    }

    if (file.data
        && ngx_redis_read_password(cf, &file, buf, &password) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_redis_greeting_init(cf, redis, &password);

    ngx_explicit_memzero(buf, sizeof(buf));

    return rc;
}


static ngx_int_t
ngx_redis_parameter(ngx_conf_t *cf, ngx_str_t *file, ngx_str_t *arg)
{
    u_char     *eq;
    ngx_str_t   name;

    eq = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (eq == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "what follows a Redis URL is \"name=value\"");
        return NGX_ERROR;
    }

    name.data = arg->data;
    name.len = eq - arg->data;

    if (ngx_strncmp(name.data, "tls_", 4) == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "this build does not support TLS to Redis: "
                           "parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    if (name.len != sizeof("password_file") - 1
        || ngx_strncmp(name.data, "password_file", name.len) != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown Redis parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    if (file->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate Redis parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    file->data = eq + 1;
    file->len = arg->data + arg->len - file->data;

    if (file->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no file name in Redis parameter \"%V\"", &name);
        return NGX_ERROR;
    }

    return ngx_conf_full_name(cf->cycle, file, 1);
}


static ngx_int_t
ngx_redis_read_password(ngx_conf_t *cf, ngx_str_t *file, u_char *buf,
    ngx_str_t *password)
{
    size_t    len;
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, buf, NGX_REDIS_MAX_PASSWORD + 2);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", file);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    if (n == -1) {
        return NGX_ERROR;
    }

    len = n;

    if (len && buf[len - 1] == LF) {
        len--;

        if (len && buf[len - 1] == CR) {
            len--;
        }
    }

    if (len == 0
        || len > NGX_REDIS_MAX_PASSWORD
        || ngx_strlchr(buf, buf + len, LF))
    {
        ngx_explicit_memzero(buf, n);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Redis password file \"%V\" must hold one line of "
                           "1 to %d bytes", file, NGX_REDIS_MAX_PASSWORD);
        return NGX_ERROR;
    }

    password->data = buf;
    password->len = len;

    return NGX_OK;
}
