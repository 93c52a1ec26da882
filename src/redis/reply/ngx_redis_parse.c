
#include "redis/reply/ngx_redis_parse.h"

#include <string.h>


#if (HIREDIS_MAJOR >= 1)
typedef size_t  ngx_redis_elements_t;
#else
typedef int     ngx_redis_elements_t;
#endif


typedef struct {
    const char           *words[2];     /* the second: NULL, whatever it is */
    ngx_redis_expect_e    expect;
} ngx_redis_question_t;


static void *ngx_redis_create_array(const redisReadTask *task,
    ngx_redis_elements_t n);
static int ngx_redis_sieve_head(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char **from, const char *p, const char *last);
static int ngx_redis_sieve_length(const char *head, size_t len,
    unsigned long long *n);
static int ngx_redis_sieve_feed(redisReader *reader, const char *p,
    const char *last);
static int ngx_redis_parse_is(const redisReply *reply, int type,
    const void *text, size_t len);
static int ngx_redis_parse_redirect(const char *p, const char *last,
    ngx_redis_error_t *error);
static int ngx_redis_parse_place(const char *host, size_t len,
    const char *port, const char *last, ngx_redis_place_t *place);
static int ngx_redis_parse_number(const char *p, const char *last,
    unsigned max, unsigned *number);
static const char *ngx_redis_line(const redisReply *reply, const char *name,
    size_t *len);


static const ngx_redis_question_t  ngx_redis_questions[] = {
    { { "ASKING", NULL }, ngx_redis_expect_ok },
    { { "PING", NULL }, ngx_redis_expect_pong },
    { { "WAIT", NULL }, ngx_redis_expect_number },
    { { "INFO", NULL }, ngx_redis_expect_text },
    { { "ROLE", NULL }, ngx_redis_expect_role },
    { { "CLUSTER", "SLOTS" }, ngx_redis_expect_slots },
    { { "CLUSTER", "INFO" }, ngx_redis_expect_text },
    { { "SENTINEL", "GET-MASTER-ADDR-BY-NAME" }, ngx_redis_expect_place },
    { { NULL, NULL }, ngx_redis_expect_any }
};


static redisReplyObjectFunctions         ngx_redis_functions;
static const redisReplyObjectFunctions  *ngx_redis_default_functions;


redisReader *
ngx_redis_reader_create(void)
{
    redisReader  *reader;

    reader = redisReaderCreate();

    if (reader == NULL) {
        return NULL;
    }

    if (ngx_redis_functions.createArray == NULL) {
        ngx_redis_default_functions = reader->fn;
        ngx_redis_functions = *reader->fn;
        ngx_redis_functions.createArray = ngx_redis_create_array;
    }

    reader->fn = &ngx_redis_functions;

    return reader;
}


/* NULL ends the reader in an error; later versions go as deep as they are led */

static void *
ngx_redis_create_array(const redisReadTask *task, ngx_redis_elements_t n)
{
    unsigned              depth;
    const redisReadTask  *parent;

    depth = 0;

    for (parent = task->parent; parent; parent = parent->parent) {
        depth++;
    }

    if (n > NGX_REDIS_ARRAY || depth > NGX_REDIS_DEPTH) {
        return NULL;
    }

    return ngx_redis_default_functions->createArray(task, n);
}


int
ngx_redis_sieve(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char *data, size_t len)
{
    int          rc;
    size_t       n;
    const char  *p, *from, *last, *end;

    last = data + len;
    from = data;                        /* what the reader does not have yet */

    for (p = data; p < last; p = end) {

        switch (sieve->state) {

        case ngx_redis_sieve_line:

            if (sieve->len == 0 && *p != '$') {
                sieve->state = ngx_redis_sieve_other;
                sieve->rest = 0;
                end = p;
                break;
            }

            rc = ngx_redis_sieve_head(sieve, reader, &from, p, last);
            if (rc != 1) {
                return rc;
            }

            end = memchr(p, '\n', last - p);
            end = end ? end + 1 : last;
            break;

        case ngx_redis_sieve_other:
            end = memchr(p, '\n', last - p);

            if (end) {
                sieve->state = ngx_redis_sieve_line;
            }

            end = end ? end + 1 : last;
            sieve->rest += end - p;

            if (sieve->rest > NGX_REDIS_LINE) {
                return 0;
            }

            break;

        default: /* ngx_redis_sieve_keep, ngx_redis_sieve_drop */

            n = (sieve->rest < (size_t) (last - p)) ? (size_t) sieve->rest
                                                    : (size_t) (last - p);
            end = p + n;

            if (sieve->state == ngx_redis_sieve_drop) {
                from = end;
            }

            sieve->rest -= n;

            if (sieve->rest == 0) {
                sieve->state = ngx_redis_sieve_line;
            }
        }
    }

    return ngx_redis_sieve_feed(reader, from, last);
}


/* the line with a string's length; one that is cut is kept back */

static int
ngx_redis_sieve_head(ngx_redis_sieve_t *sieve, redisReader *reader,
    const char **from, const char *p, const char *last)
{
    int                  cut;
    size_t               len;
    const char          *end, *head;
    unsigned long long   n;

    end = memchr(p, '\n', last - p);
    cut = (end == NULL || sieve->len > 0);
    end = end ? end + 1 : last;
    head = p;
    len = end - p;

    if (cut) {

        if (len > sizeof(sieve->head) - sieve->len) {
            return 0;
        }

        if (ngx_redis_sieve_feed(reader, *from, p) != 1) {
            return -1;
        }

        memcpy(sieve->head + sieve->len, p, len);
        sieve->len += len;
        *from = end;

        if (end[-1] != '\n') {
            return 1;
        }

        head = sieve->head;
        len = sieve->len;
        sieve->len = 0;
    }

    if (len == 5 && memcmp(head, "$-1\r\n", 5) == 0) {
        return cut ? ngx_redis_sieve_feed(reader, head, head + len) : 1;
    }

    if (!ngx_redis_sieve_length(head, len, &n)) {
        return 0;
    }

    sieve->rest = n + 2;

    if (n <= sieve->max) {
        sieve->state = ngx_redis_sieve_keep;
        return cut ? ngx_redis_sieve_feed(reader, head, head + len) : 1;
    }

    if (!cut && ngx_redis_sieve_feed(reader, *from, p) != 1) {
        return -1;
    }

    *from = end;

    sieve->state = ngx_redis_sieve_drop;
    sieve->dropped = (size_t) n;

    head = "$-1\r\n";

    return ngx_redis_sieve_feed(reader, head, head + 5);
}


static int
ngx_redis_sieve_length(const char *head, size_t len, unsigned long long *n)
{
    size_t  i;

    if (len < 4 || len > 14 || head[len - 2] != '\r') {
        return 0;
    }

    for (*n = 0, i = 1; i < len - 2; i++) {

        if (head[i] < '0' || head[i] > '9') {
            return 0;
        }

        *n = *n * 10 + (head[i] - '0');
    }

    return *n <= NGX_REDIS_BULK;
}


static int
ngx_redis_sieve_feed(redisReader *reader, const char *p, const char *last)
{
    if (p < last && redisReaderFeed(reader, p, last - p) != REDIS_OK) {
        return -1;
    }

    return 1;
}


ngx_redis_expect_e
ngx_redis_parse_expect(const char **words, size_t n)
{
    const ngx_redis_question_t  *q;

    for (q = ngx_redis_questions; q->words[0]; q++) {

        if (n > 0 && strcmp(words[0], q->words[0]) == 0
            && (q->words[1] == NULL
                || (n > 1 && strcmp(words[1], q->words[1]) == 0)))
        {
            break;
        }
    }

    return q->expect;
}


int
ngx_redis_parse_fits(const redisReply *reply, ngx_redis_expect_e expect,
    const unsigned char *proof, size_t len)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        return 1;
    }

    switch (expect) {

    case ngx_redis_expect_ok:
        return ngx_redis_parse_is(reply, REDIS_REPLY_STATUS, "OK", 2);

    case ngx_redis_expect_pong:
        return ngx_redis_parse_is(reply, REDIS_REPLY_STATUS, "PONG", 4);

    case ngx_redis_expect_number:
        return reply->type == REDIS_REPLY_INTEGER;

    case ngx_redis_expect_text:
        return reply->type == REDIS_REPLY_STRING;

    case ngx_redis_expect_slots:
        return reply->type == REDIS_REPLY_ARRAY
               && (reply->elements == 0
                   || reply->element[0]->type == REDIS_REPLY_ARRAY);

    case ngx_redis_expect_place:
        return reply->type == REDIS_REPLY_NIL
               || (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2);

    case ngx_redis_expect_role:
        return reply->type == REDIS_REPLY_ARRAY
               && reply->elements > 0
               && reply->element[0]->type == REDIS_REPLY_STRING;

    case ngx_redis_expect_proof:
        return reply->type == REDIS_REPLY_ARRAY
               && reply->elements > 0
               && ngx_redis_parse_is(reply->element[0], REDIS_REPLY_STRING,
                                     proof, len);

    default: /* ngx_redis_expect_any */
        return 1;
    }
}


static int
ngx_redis_parse_is(const redisReply *reply, int type, const void *text,
    size_t len)
{
    return reply->type == type
           && (size_t) reply->len == len
           && memcmp(reply->str, text, len) == 0;
}


/* CRC16, XMODEM's */

unsigned
ngx_redis_slot(const unsigned char *key, size_t len)
{
    int                   bit;
    unsigned              crc;
    const unsigned char  *p, *last, *open, *close;

    last = key + len;

    open = len ? memchr(key, '{', len) : NULL;

    if (open) {
        open++;
        close = memchr(open, '}', last - open);

        if (close && close > open) {
            key = open;
            last = close;
        }
    }

    crc = 0;

    for (p = key; p < last; p++) {
        crc ^= (unsigned) *p << 8;

        for (bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
        }

        crc &= 0xffff;
    }

    return crc % NGX_REDIS_SLOTS;
}


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


int
ngx_redis_parse_role(const redisReply *reply)
{
    const redisReply  *role;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        return 0;
    }

    role = reply->element[0];

    return role->type == REDIS_REPLY_STRING
           && role->len == sizeof("master") - 1
           && memcmp(role->str, "master", sizeof("master") - 1) == 0;
}


size_t
ngx_redis_parse_policy(const redisReply *reply, const char **policy)
{
    size_t       n, len;
    const char  *max;

    if (reply->type != REDIS_REPLY_STRING) {
        return 0;
    }

    max = ngx_redis_line(reply, "maxmemory:", &len);

    if (max && len == 1 && max[0] == '0') {
        return 0;                       /* no limit, whatever the policy */
    }

    *policy = ngx_redis_line(reply, "maxmemory_policy:", &len);

    if (*policy == NULL
        || (len == sizeof("noeviction") - 1
            && memcmp(*policy, "noeviction", len) == 0))
    {
        return 0;
    }

    /* for the log: letters and hyphens only */

    for (n = 0; n < len; n++) {
        if ((*policy)[n] != '-'
            && ((*policy)[n] < 'a' || (*policy)[n] > 'z'))
        {
            return 0;
        }
    }

    return len;
}


void
ngx_redis_parse_health(const redisReply *reply, ngx_redis_health_t *health)
{
    size_t              i, len;
    const char         *s;
    unsigned long long  epoch;

    health->ok = 1;
    health->epoch = 0;

    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        return;
    }

    s = ngx_redis_line(reply, "cluster_state:", &len);

    health->ok = (s == NULL || (len == 2 && memcmp(s, "ok", 2) == 0));

    s = ngx_redis_line(reply, "cluster_current_epoch:", &len);

    if (s == NULL || len > sizeof("1000000000000000000") - 1) {
        return;
    }

    epoch = 0;

    for (i = 0; i < len; i++) {

        if (s[i] < '0' || s[i] > '9') {
            return;
        }

        epoch = epoch * 10 + (unsigned) (s[i] - '0');
    }

    health->epoch = epoch;
}


int
ngx_redis_parse_clustered(const redisReply *reply)
{
    size_t       len;
    const char  *enabled;

    if (reply->type != REDIS_REPLY_STRING) {
        return 0;
    }

    enabled = ngx_redis_line(reply, "cluster_enabled:", &len);

    return enabled && len == 1 && enabled[0] == '1';
}


/* what follows "name" at the beginning of a line */

static const char *
ngx_redis_line(const redisReply *reply, const char *name, size_t *len)
{
    size_t       n;
    const char  *p, *last, *end;

    n = strlen(name);
    last = reply->str + reply->len;

    for (p = reply->str; p < last; p = end + 1) {

        end = memchr(p, '\n', last - p);
        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) > n && memcmp(p, name, n) == 0) {
            *len = end - p - n;

            if (p[n + *len - 1] == '\r') {
                (*len)--;
            }

            return p + n;
        }
    }

    return NULL;
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


int
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
