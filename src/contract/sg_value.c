
/*
 * The value of a record, put together and taken apart.
 */

#include "contract/sg_value.h"
#include "contract/sg_seal.h"
#include "contract/sg_sha256.h"

#include <string.h>


/* places in the head, and where the head of each state ends */

#define SG_VALUE_AT_STATE        SG_VALUE_STATE_AT
#define SG_VALUE_AT_FLAGS        2
#define SG_VALUE_AT_FROM         3
#define SG_VALUE_AT_CHECK        SG_VALUE_CHECK_AT
#define SG_VALUE_AT_FINGERPRINT  12
#define SG_VALUE_AT_TOKEN        44
#define SG_VALUE_AT_TTL          60
#define SG_VALUE_AT_LEASE        66
#define SG_VALUE_AT_STATUS       60
#define SG_VALUE_AT_HEADERS      62
#define SG_VALUE_AT_BODY         66

#define SG_VALUE_UNKNOWN_HEAD    44
#define SG_VALUE_CLAIMED_HEAD    72
#define SG_VALUE_ANSWERED_HEAD   70
#define SG_VALUE_TOMBSTONE_HEAD  62

#define SG_VALUE_NO_FROM         '-'
#define SG_VALUE_SEALED          1


static size_t sg_value_head_len(unsigned state);
static const char *sg_value_claim(sg_value_t *value, const unsigned char *p);
static const char *sg_value_answer(sg_value_t *value, const unsigned char *p,
    sg_str_t *rest);
static const char *sg_value_take(sg_str_t *part, unsigned long long len,
    sg_str_t *rest);
static void sg_value_copy(unsigned char *p, sg_str_t text, size_t len);
static inline void sg_value_put(unsigned char *p, unsigned long long n,
    size_t bytes);
static unsigned long long sg_value_get(const unsigned char *p, size_t bytes);


int
sg_value_check(unsigned char *out, sg_str_t name)
{
    unsigned char  digest[SG_SHA256_LEN];

    if (sg_sha256(digest, name.data, name.len) != 0) {
        return -1;
    }

    memcpy(out, digest, SG_VALUE_CHECK);

    return 0;
}


size_t
sg_value_head(unsigned char *out, const sg_value_t *value)
{
    out[0] = SG_VALUE_VERSION;
    out[SG_VALUE_AT_STATE] = (unsigned char) value->state;
    out[SG_VALUE_AT_FLAGS] = value->sealed ? SG_VALUE_SEALED : 0;
    out[SG_VALUE_AT_FROM] = (value->state == sg_value_claimed)
                            ? (unsigned char) value->from : SG_VALUE_NO_FROM;

    sg_value_copy(out + SG_VALUE_AT_CHECK, value->check, SG_VALUE_CHECK);
    sg_value_copy(out + SG_VALUE_AT_FINGERPRINT, value->fingerprint,
                  SG_VALUE_FINGERPRINT);

    if (value->state != sg_value_unknown) {
        sg_value_copy(out + SG_VALUE_AT_TOKEN, value->token, SG_VALUE_TOKEN);
    }

    switch (value->state) {

    case sg_value_claimed:
        sg_value_put(out + SG_VALUE_AT_TTL, value->ttl, 6);
        sg_value_put(out + SG_VALUE_AT_LEASE, value->lease, 6);
        break;

    case sg_value_answered:
        sg_value_put(out + SG_VALUE_AT_HEADERS, value->headers.len, 4);
        sg_value_put(out + SG_VALUE_AT_BODY, value->body.len, 4);

        /* fall through */

    case sg_value_tombstone:
        sg_value_put(out + SG_VALUE_AT_STATUS, value->status, 2);
        break;

    case sg_value_unknown:
        break;
    }

    return sg_value_head_len((unsigned) value->state);
}


const char *
sg_value_decode(sg_value_t *value, sg_str_t text)
{
    int                   rc;
    size_t                head;
    unsigned              type;
    sg_str_t              rest, bytes;
    const char           *bad;
    const unsigned char  *p;

    memset(value, 0, sizeof(sg_value_t));

    p = text.data;

    if (text.len == 0 || p[0] != SG_VALUE_VERSION) {
        return "version";
    }

    head = (text.len > SG_VALUE_AT_STATE)
           ? sg_value_head_len(p[SG_VALUE_AT_STATE]) : 0;

    if (head == 0) {
        return "state";
    }

    if (text.len < head) {
        return "length";
    }

    value->state = (sg_value_state_e) p[SG_VALUE_AT_STATE];
    value->sealed = (p[SG_VALUE_AT_FLAGS] == SG_VALUE_SEALED);

    if (p[SG_VALUE_AT_FLAGS] != 0
        && (!value->sealed || value->state != sg_value_answered))
    {
        return "flags";
    }

    value->check.data = p + SG_VALUE_AT_CHECK;
    value->check.len = SG_VALUE_CHECK;
    value->fingerprint.data = p + SG_VALUE_AT_FINGERPRINT;
    value->fingerprint.len = SG_VALUE_FINGERPRINT;

    if (value->state != sg_value_unknown) {
        value->token.data = p + SG_VALUE_AT_TOKEN;
        value->token.len = SG_VALUE_TOKEN;
    }

    value->head.data = p;
    value->head.len = head;

    rest.data = p + head;
    rest.len = text.len - head;

    bad = (value->state == sg_value_claimed) ? sg_value_claim(value, p)
                                             : sg_value_answer(value, p, &rest);
    if (bad) {
        return bad;
    }

    value->items = rest;

    while ((rc = sg_value_item_next(&rest, &type, &bytes)) == 1) {
        if (type == sg_item_seal && bytes.len == SG_SEAL) {
            value->seal = bytes;
        }
    }

    if (rc == -1 || (value->sealed && value->seal.len == 0)) {
        return "items";
    }

    /* one that lost its flag is not in the clear */

    return (value->state == sg_value_answered && value->seal.len
            && !value->sealed)
           ? "flags" : NULL;
}


int
sg_value_is_end(sg_str_t text)
{
    return text.len > SG_VALUE_AT_STATE
           && (text.data[SG_VALUE_AT_STATE] == sg_value_answered
               || text.data[SG_VALUE_AT_STATE] == sg_value_tombstone);
}


/* 0: there is no such state */

static size_t
sg_value_head_len(unsigned state)
{
    switch (state) {

    case sg_value_claimed:
        return SG_VALUE_CLAIMED_HEAD;

    case sg_value_unknown:
        return SG_VALUE_UNKNOWN_HEAD;

    case sg_value_answered:
        return SG_VALUE_ANSWERED_HEAD;

    case sg_value_tombstone:
        return SG_VALUE_TOMBSTONE_HEAD;

    default:
        return 0;
    }
}


static const char *
sg_value_claim(sg_value_t *value, const unsigned char *p)
{
    if (p[SG_VALUE_AT_FROM] != sg_value_from_absent
        && p[SG_VALUE_AT_FROM] != sg_value_from_unknown)
    {
        return "from";
    }

    value->from = (sg_value_from_e) p[SG_VALUE_AT_FROM];
    value->ttl = sg_value_get(p + SG_VALUE_AT_TTL, 6);
    value->lease = sg_value_get(p + SG_VALUE_AT_LEASE, 6);

    return (value->ttl && value->lease) ? NULL : "times";
}


/* and of whatever else has no claim */

static const char *
sg_value_answer(sg_value_t *value, const unsigned char *p, sg_str_t *rest)
{
    const char          *bad;
    unsigned long long   headers, body;

    if (p[SG_VALUE_AT_FROM] != SG_VALUE_NO_FROM) {
        return "from";
    }

    if (value->state == sg_value_unknown) {
        return NULL;
    }

    value->status = (unsigned) sg_value_get(p + SG_VALUE_AT_STATUS, 2);

    if (value->status < 200 || value->status > 599) {
        return "status";
    }

    if (value->state == sg_value_tombstone) {
        return NULL;
    }

    headers = sg_value_get(p + SG_VALUE_AT_HEADERS, 4);
    body = sg_value_get(p + SG_VALUE_AT_BODY, 4);

    bad = sg_value_take(&value->headers, headers, rest);

    return bad ? bad : sg_value_take(&value->body, body, rest);
}


static const char *
sg_value_take(sg_str_t *part, unsigned long long len, sg_str_t *rest)
{
    if (len > rest->len) {
        return "length";
    }

    part->data = rest->data;
    part->len = (size_t) len;

    rest->data += part->len;
    rest->len -= part->len;

    return NULL;
}


void
sg_value_item_head(unsigned char *out, unsigned type, size_t len)
{
    out[0] = (unsigned char) type;
    sg_value_put(out + 1, len, 2);
}


int
sg_value_item_next(sg_str_t *items, unsigned *type, sg_str_t *bytes)
{
    if (items->len == 0) {
        return 0;
    }

    if (items->len < SG_VALUE_ITEM) {
        return -1;
    }

    *type = items->data[0];
    bytes->data = items->data + SG_VALUE_ITEM;
    bytes->len = (size_t) sg_value_get(items->data + 1, 2);

    if (bytes->len > items->len - SG_VALUE_ITEM) {
        return -1;
    }

    items->data = bytes->data + bytes->len;
    items->len -= SG_VALUE_ITEM + bytes->len;

    return 1;
}


/* a text of another length is its caller's mistake: zeroes, which match none */

static void
sg_value_copy(unsigned char *p, sg_str_t text, size_t len)
{
    if (text.len == len) {
        memcpy(p, text.data, len);

    } else {
        memset(p, 0, len);
    }
}


/* the highest byte first; of 2, 4 or 6 bytes */

static inline void
sg_value_put(unsigned char *p, unsigned long long n, size_t bytes)
{
    if (bytes == 6) {
        *p++ = (unsigned char) (n >> 40);
        *p++ = (unsigned char) (n >> 32);
    }

    if (bytes >= 4) {
        *p++ = (unsigned char) (n >> 24);
        *p++ = (unsigned char) (n >> 16);
    }

    *p++ = (unsigned char) (n >> 8);
    *p = (unsigned char) n;
}


static unsigned long long
sg_value_get(const unsigned char *p, size_t bytes)
{
    size_t              i;
    unsigned long long  n;

    for (n = 0, i = 0; i < bytes; i++) {
        n = n << 8 | p[i];
    }

    return n;
}
