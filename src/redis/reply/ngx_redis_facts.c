
/*
 * Lines of INFO and CLUSTER INFO, and the answer to ROLE.
 */


#include "redis/reply/ngx_redis_facts.h"

#include <string.h>


#define ngx_redis_begins(reply, word)                                         \
    ((size_t) (reply)->len >= sizeof(word) - 1                                \
     && memcmp((reply)->str, word, sizeof(word) - 1) == 0)


static unsigned long ngx_redis_facts_numbers(const redisReply *reply,
    const char *name);
static const char *ngx_redis_line(const redisReply *reply, const char *name,
    size_t *len);


int
ngx_redis_facts_role(const redisReply *reply)
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
ngx_redis_facts_policy(const redisReply *reply, const char **policy)
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
ngx_redis_facts_version(const redisReply *reply, ngx_redis_version_t *version)
{
    version->redis = 0;
    version->valkey = 0;

    if (reply->type == REDIS_REPLY_STRING) {
        version->redis = ngx_redis_facts_numbers(reply, "redis_version:");
        version->valkey = ngx_redis_facts_numbers(reply, "valkey_version:");
    }
}


/* "7.0.15": the first two; 0 where there are no such */

static unsigned long
ngx_redis_facts_numbers(const redisReply *reply, const char *name)
{
    size_t          i, len, dots;
    const char     *s;
    unsigned long   n[2];

    s = ngx_redis_line(reply, name, &len);

    if (s == NULL) {
        return 0;
    }

    n[0] = 0;
    n[1] = 0;

    for (i = 0, dots = 0; i < len && dots < 2; i++) {

        if (s[i] == '.') {
            dots++;
            continue;
        }

        if (s[i] < '0' || s[i] > '9' || n[dots] > 99) {
            return 0;
        }

        n[dots] = n[dots] * 10 + (unsigned long) (s[i] - '0');
    }

    return dots ? ngx_redis_version(n[0], n[1]) : 0;
}


void
ngx_redis_facts_health(const redisReply *reply, ngx_redis_health_t *health)
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
ngx_redis_facts_well(const redisReply *reply)
{
    ngx_redis_health_t  health;

    if (reply->type == REDIS_REPLY_ERROR) {
        return ngx_redis_begins(reply, "NOPERM ")
               || ngx_redis_begins(reply, "ERR ");
    }

    ngx_redis_facts_health(reply, &health);

    return health.ok;
}


int
ngx_redis_facts_clustered(const redisReply *reply)
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
