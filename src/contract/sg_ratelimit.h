
/*
 * The header fields RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers): lists of items of RFC 8941, each the
 * name of a policy with parameters.
 */

#ifndef SG_RATELIMIT_H
#define SG_RATELIMIT_H


#include "contract/sg_buf.h"


/*
 * 1 when a member of the list "field" is "name", as a string or as a token; of
 * what is no such list, members are what stands between commas
 */
int sg_ratelimit_has(sg_str_t field, sg_str_t name);

/*
 * Each appends one more member to a list:
 *     "<name>";q=<quota>;w=<window>       seconds in which the quota is earned
 *     "<name>";r=<left>;t=<reset>         seconds until one more is earned
 * "name" is a token (RFC 9110, 5.6.2); a "number" that is not 0 follows it, as
 * in "<name>-2".
 */
void sg_ratelimit_policy(sg_buf_t *out, sg_str_t name, unsigned number,
    unsigned long long quota, unsigned long long window);
void sg_ratelimit_left(sg_buf_t *out, sg_str_t name, unsigned number,
    unsigned long long left, unsigned long long reset);


#endif /* SG_RATELIMIT_H */
