
/*
 * A rate limit: what a configuration says of it, and its key in Redis.
 *
 * Its arithmetic is in limit.lua, and is exact within the bounds that
 * are set here: quota * period stays below 2^53.
 */

#ifndef SG_LIMIT_H
#define SG_LIMIT_H


#include "contract/sg_buf.h"
#include "contract/sg_secret.h"


#define SG_LIMIT_RATE_MAX   1000000
#define SG_LIMIT_BURST_MAX  100000
#define SG_LIMIT_NAME_MAX   64          /* bytes */


/* "n" creates in "period" microseconds, of which "quota" may come at once */
typedef struct {
    unsigned long long  n;              /* in lowest terms with period */
    unsigned long long  period;
    unsigned long long  quota;          /* 1 + burst */
} sg_limit_t;


/* "Nr/s", "Nr/m", "Nr/h" or "Nr/d"; 0, or -1 when it is anything else */
int sg_limit_rate(sg_limit_t *limit, sg_str_t text);

/* digits; 0, or -1 */
int sg_limit_burst(sg_limit_t *limit, sg_str_t text);

/*
 * 1 for a token (RFC 9110, 5.6.2) of at most SG_LIMIT_NAME_MAX bytes: it needs
 * no escape in a string of RFC 8941
 */
int sg_limit_name_ok(sg_str_t name);

/* seconds in which the whole quota is earned, rounded up */
unsigned long long sg_limit_window(const sg_limit_t *limit);

/*
 * Appends the name of a limit's key:
 *     <prefix>{<environment>:<value>}:limit:<name>
 * with value and name percent-encoded as in a record's name: no two of them
 * are equal, and none is a record's, which has two values in its braces.
 */
void sg_limit_key(sg_buf_t *out, sg_str_t prefix, sg_environment_e environment,
    sg_str_t name, sg_str_t value);

/*
 * Appends the name of a receipt, in the slot of "key", which sg_limit_key()
 * has made:
 *     <prefix>{<environment>:<value>}:paid:<token>
 */
void sg_limit_receipt(sg_buf_t *out, sg_str_t key, sg_str_t token);


#endif /* SG_LIMIT_H */
