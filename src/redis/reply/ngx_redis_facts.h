
/*
 * What a server says of itself, and of its cluster.
 */

#ifndef _NGX_REDIS_FACTS_H_INCLUDED_
#define _NGX_REDIS_FACTS_H_INCLUDED_


#include <stddef.h>
#include <hiredis/hiredis.h>


/* of a cluster, as a node sees it */
typedef struct {
    unsigned long long    epoch;        /* 0: not known */
    unsigned              ok:1;
} ngx_redis_health_t;


/* what a server says that it is, 0: it does not; compared with
   ngx_redis_version() */
typedef struct {
    unsigned long         redis;        /* or what it is compatible with */
    unsigned long         valkey;
} ngx_redis_version_t;


#define ngx_redis_version(major, minor)  ((major) * 1000UL + (minor))


/* the answer to ROLE: whether it is a master's */
int ngx_redis_facts_role(const redisReply *reply);

/*
 * The answer to INFO: the length of the policy that may evict, which begins
 * at *policy, or 0 where none does or nothing is said about it.
 */
size_t ngx_redis_facts_policy(const redisReply *reply, const char **policy);

/* the answer to INFO: of which version it is */
void ngx_redis_facts_version(const redisReply *reply,
    ngx_redis_version_t *version);

/* the answer to INFO: whether it is one of a node of a cluster */
int ngx_redis_facts_clustered(const redisReply *reply);

/*
 * The answer to CLUSTER INFO.  Where there is none (NULL), it is a refusal, or
 * does not say, nothing is held against the node: ok, and an epoch of 0.
 */
void ngx_redis_facts_health(const redisReply *reply,
    ngx_redis_health_t *health);

/*
 * The answer to PING or, of a cluster's node, to CLUSTER INFO: whether who says
 * that takes commands.  That the question itself is not permitted or not known
 * is not held against it; any other refusal is.
 */
int ngx_redis_facts_well(const redisReply *reply);


#endif /* _NGX_REDIS_FACTS_H_INCLUDED_ */
