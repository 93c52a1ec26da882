
/*
 * The header fields RateLimit-Policy and RateLimit.
 */

#include "contract/sg_ratelimit.h"

#include <string.h>


static sg_str_t sg_ratelimit_member(sg_str_t *rest);
static int sg_ratelimit_is(sg_str_t member, sg_str_t name);
static void sg_ratelimit_item(sg_buf_t *out, sg_str_t name, unsigned number,
    const char *first, unsigned long long one, const char *second,
    unsigned long long other);


int
sg_ratelimit_has(sg_str_t field, sg_str_t name)
{
    while (field.len) {
        if (sg_ratelimit_is(sg_ratelimit_member(&field), name)) {
            return 1;
        }
    }

    return 0;
}


/* takes what precedes the next comma outside of a string off "rest" */

static sg_str_t
sg_ratelimit_member(sg_str_t *rest)
{
    int       quoted;
    size_t    i;
    sg_str_t  member;

    quoted = 0;

    for (i = 0; i < rest->len; i++) {

        if (rest->data[i] == '"') {
            quoted = !quoted;

        } else if (quoted && rest->data[i] == '\\' && i + 1 < rest->len) {
            i++;

        } else if (!quoted && rest->data[i] == ',') {
            break;
        }
    }

    member.data = rest->data;
    member.len = i;

    if (i < rest->len) {
        i++;
    }

    rest->data += i;
    rest->len -= i;

    return member;
}


/* a name has nothing that a string would escape */

static int
sg_ratelimit_is(sg_str_t member, sg_str_t name)
{
    size_t         quotes;
    unsigned char  next;

    while (member.len && (member.data[0] == ' ' || member.data[0] == '\t')) {
        member.data++;
        member.len--;
    }

    quotes = (member.len && member.data[0] == '"');

    if (member.len < name.len + 2 * quotes
        || memcmp(member.data + quotes, name.data, name.len) != 0
        || (quotes && member.data[1 + name.len] != '"'))
    {
        return 0;
    }

    if (member.len == name.len + 2 * quotes) {
        return 1;
    }

    next = member.data[name.len + 2 * quotes];

    return next == ';' || next == ' ' || next == '\t';
}


void
sg_ratelimit_policy(sg_buf_t *out, sg_str_t name, unsigned number,
    unsigned long long quota, unsigned long long window)
{
    sg_ratelimit_item(out, name, number, ";q=", quota, ";w=", window);
}


void
sg_ratelimit_left(sg_buf_t *out, sg_str_t name, unsigned number,
    unsigned long long left, unsigned long long reset)
{
    sg_ratelimit_item(out, name, number, ";r=", left, ";t=", reset);
}


static void
sg_ratelimit_item(sg_buf_t *out, sg_str_t name, unsigned number,
    const char *first, unsigned long long one, const char *second,
    unsigned long long other)
{
    sg_buf_add_cstr(out, out->len ? ", \"" : "\"");
    sg_buf_add_str(out, name);

    if (number) {
        sg_buf_add_cstr(out, "-");
        sg_buf_add_uint(out, number);
    }

    sg_buf_add_cstr(out, "\"");
    sg_buf_add_cstr(out, first);
    sg_buf_add_uint(out, one);
    sg_buf_add_cstr(out, second);
    sg_buf_add_uint(out, other);
}
