
/*
 * A rate limit: what a configuration says of it, and its key in Redis.
 */

#include "contract/sg_limit.h"
#include "contract/sg_headers.h"
#include "contract/sg_record.h"

#include <string.h>


#define SG_SECOND  1000000ULL           /* in microseconds */


static int sg_limit_number(sg_str_t text, unsigned long long max,
    unsigned long long *n);
static unsigned long long sg_limit_gcd(unsigned long long a,
    unsigned long long b);


int
sg_limit_rate(sg_limit_t *limit, sg_str_t text)
{
    unsigned long long  n, period, gcd;

    if (text.len < sizeof("r/s") - 1
        || memcmp(text.data + text.len - 3, "r/", 2) != 0)
    {
        return -1;
    }

    switch (text.data[text.len - 1]) {

    case 's':
        period = SG_SECOND;
        break;

    case 'm':
        period = 60 * SG_SECOND;
        break;

    case 'h':
        period = 60 * 60 * SG_SECOND;
        break;

    case 'd':
        period = 24 * 60 * 60 * SG_SECOND;
        break;

    default:
        return -1;
    }

    text.len -= sizeof("r/s") - 1;

    if (sg_limit_number(text, SG_LIMIT_RATE_MAX, &n) != 0 || n == 0) {
        return -1;
    }

    gcd = sg_limit_gcd(n, period);

    limit->n = n / gcd;
    limit->period = period / gcd;

    return 0;
}


int
sg_limit_burst(sg_limit_t *limit, sg_str_t text)
{
    unsigned long long  n;

    if (sg_limit_number(text, SG_LIMIT_BURST_MAX, &n) != 0) {
        return -1;
    }

    limit->quota = 1 + n;

    return 0;
}


static int
sg_limit_number(sg_str_t text, unsigned long long max, unsigned long long *n)
{
    size_t  i;

    if (text.len == 0) {
        return -1;
    }

    *n = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }

        *n = *n * 10 + (text.data[i] - '0');

        if (*n > max) {
            return -1;
        }
    }

    return 0;
}


static unsigned long long
sg_limit_gcd(unsigned long long a, unsigned long long b)
{
    unsigned long long  rest;

    while (b) {
        rest = a % b;
        a = b;
        b = rest;
    }

    return a;
}


int
sg_limit_name_ok(sg_str_t name)
{
    return name.len <= SG_LIMIT_NAME_MAX && sg_header_is_token(name);
}


unsigned long long
sg_limit_window(const sg_limit_t *limit)
{
    unsigned long long  one;

    one = limit->n * SG_SECOND;

    return (limit->quota * limit->period + one - 1) / one;
}


void
sg_limit_key(sg_buf_t *out, sg_str_t prefix, sg_environment_e environment,
    sg_str_t name, sg_str_t value)
{
    sg_record_tag(out, prefix, environment, value);
    sg_buf_add_cstr(out, "}:limit:");
    sg_record_encode(out, name);
}


void
sg_limit_receipt(sg_buf_t *out, sg_str_t key, sg_str_t token)
{
    const unsigned char  *end;

    /* the only brace that closes: neither prefix nor name has one */

    end = memchr(key.data, '}', key.len);

    sg_buf_add(out, key.data, (size_t) (end - key.data));
    sg_buf_add_cstr(out, "}:paid:");
    sg_buf_add_str(out, token);
}
