
/*
 * Errors that send a command elsewhere, and places that are named in replies.
 */


#include "redis/reply/ngx_redis_parse.h"
#include "redis/reply/ngx_redis_slot.h"

#include <string.h>


/* whether a text begins with the word, a literal */
#define ngx_redis_begins(s, len, word)                                        \
    ((len) >= sizeof(word) - 1 && memcmp(s, word, sizeof(word) - 1) == 0)


static int ngx_redis_contains(const char *s, size_t len, const char *word);
static int ngx_redis_parse_redirect(const char *p, const char *last,
    ngx_redis_error_t *error);
static int ngx_redis_parse_place(const char *host, size_t len,
    const char *port, const char *last, ngx_redis_place_t *place);
static int ngx_redis_parse_number(const char *p, const char *last,
    unsigned max, unsigned *number);


void
ngx_redis_parse_error(const redisReply *reply, ngx_redis_error_t *error)
{
    size_t       len;
    const char  *s;

    memset(error, 0, sizeof(ngx_redis_error_t));

    if (reply->type != REDIS_REPLY_ERROR) {
        return;
    }

    s = reply->str;
    len = reply->len;

    if (ngx_redis_begins(s, len, "NOSCRIPT ")) {
        error->kind = ngx_redis_error_noscript;

    } else if (ngx_redis_begins(s, len, "MOVED ")) {

        if (ngx_redis_parse_redirect(s + sizeof("MOVED ") - 1, s + len, error))
        {
            error->kind = ngx_redis_error_moved;
        }

    } else if (ngx_redis_begins(s, len, "ASK ")) {

        if (ngx_redis_parse_redirect(s + sizeof("ASK ") - 1, s + len, error)) {
            error->kind = ngx_redis_error_ask;
        }

    } else if (ngx_redis_begins(s, len, "TRYAGAIN ")) {
        error->kind = ngx_redis_error_tryagain;

    } else if (ngx_redis_begins(s, len, "CLUSTERDOWN ")) {
        error->kind = ngx_redis_error_clusterdown;

    } else if (ngx_redis_begins(s, len, "READONLY ")
               || (ngx_redis_begins(s, len, "ERR ")
                   && ngx_redis_contains(s, len, "-READONLY ")))
    {
        /* older servers wrap what a script's command said */
        error->kind = ngx_redis_error_readonly;
    }
}


/* "slot host:port", the host perhaps empty, or an IPv6 address */

static int
ngx_redis_parse_redirect(const char *p, const char *last,
    ngx_redis_error_t *error)
{
    const char  *space, *colon;

    space = memchr(p, ' ', last - p);

    if (space == NULL
        || !ngx_redis_parse_number(p, space, NGX_REDIS_SLOTS - 1,
                                   &error->slot))
    {
        return 0;
    }

    p = space + 1;

    for (colon = last; colon > p; colon--) {
        if (colon[-1] == ':') {
            return ngx_redis_parse_place(p, colon - 1 - p, colon, last,
                                         &error->place);
        }
    }

    return 0;
}


size_t
ngx_redis_parse_code(const redisReply *reply)
{
    size_t  n;

    for (n = 0; n < (size_t) reply->len; n++) {
        if (reply->str[n] < 'A' || reply->str[n] > 'Z') {
            break;
        }
    }

    return n;
}


int
ngx_redis_parse_range(const redisReply *reply, size_t i,
    ngx_redis_range_t *range)
{
    size_t             len;
    const char        *host;
    const redisReply  *element, *first, *last, *node;

    if (reply->type != REDIS_REPLY_ARRAY || i >= reply->elements) {
        return 0;
    }

    element = reply->element[i];

    if (element->type != REDIS_REPLY_ARRAY || element->elements < 3) {
        return 0;
    }

    first = element->element[0];
    last = element->element[1];
    node = element->element[2];         /* the master, then its replicas */

    if (first->type != REDIS_REPLY_INTEGER
        || last->type != REDIS_REPLY_INTEGER
        || first->integer < 0
        || first->integer > last->integer
        || last->integer >= NGX_REDIS_SLOTS
        || node->type != REDIS_REPLY_ARRAY
        || node->elements < 2
        || node->element[1]->type != REDIS_REPLY_INTEGER
        || node->element[1]->integer < 1
        || node->element[1]->integer > 65535)
    {
        return 0;
    }

    switch (node->element[0]->type) {

    case REDIS_REPLY_STRING:
        host = node->element[0]->str;
        len = node->element[0]->len;
        break;

    case REDIS_REPLY_NIL:
        host = "";
        len = 0;
        break;

    default:
        return 0;
    }

    range->first = (unsigned) first->integer;
    range->last = (unsigned) last->integer;

    if (!ngx_redis_parse_place(host, len, NULL, NULL, &range->place)) {
        return 0;
    }

    range->place.port = (unsigned) node->element[1]->integer;

    return 1;
}


int
ngx_redis_parse_master(const redisReply *reply, ngx_redis_place_t *place)
{
    const redisReply  *host, *port;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        return 0;
    }

    host = reply->element[0];
    port = reply->element[1];

    if (host->type != REDIS_REPLY_STRING || port->type != REDIS_REPLY_STRING) {
        return 0;
    }

    return ngx_redis_parse_place(host->str, host->len, port->str,
                                 port->str + port->len, place)
           && place->len > 0;
}


/* "port" may be NULL: there is none in the text */

static int
ngx_redis_parse_place(const char *host, size_t len, const char *port,
    const char *last, ngx_redis_place_t *place)
{
    size_t  n;

    if (len > NGX_REDIS_HOST) {
        return 0;
    }

    for (n = 0; n < len; n++) {
        if ((host[n] < '0' || host[n] > '9')
            && (host[n] < 'A' || host[n] > 'Z')
            && (host[n] < 'a' || host[n] > 'z')
            && host[n] != '.' && host[n] != '-' && host[n] != '_'
            && host[n] != ':')
        {
            return 0;                   /* "?" is said of an unknown host */
        }
    }

    place->host = host;
    place->len = len;
    place->port = 0;

    if (port == NULL) {
        return 1;
    }

    return ngx_redis_parse_number(port, last, 65535, &place->port)
           && place->port > 0;
}


static int
ngx_redis_parse_number(const char *p, const char *last, unsigned max,
    unsigned *number)
{
    if (p == last || last - p > 5) {
        return 0;
    }

    for (*number = 0; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return 0;
        }

        *number = *number * 10 + (*p - '0');
    }

    return *number <= max;
}


/* whether the word stands anywhere in a text */

static int
ngx_redis_contains(const char *s, size_t len, const char *word)
{
    size_t  i, n;

    n = strlen(word);

    for (i = 0; i + n <= len; i++) {
        if (memcmp(s + i, word, n) == 0) {
            return 1;
        }
    }

    return 0;
}
