
/*
 * Strings by pointer and length, and a growing byte buffer.
 */

#include "contract/sg_buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define SG_BUF_MIN  256


static int sg_buf_fail(sg_buf_t *buf);
static unsigned char sg_lower(unsigned char ch);


void
sg_buf_init(sg_buf_t *buf)
{
    sg_buf_init_room(buf, NULL, 0);
}


void
sg_buf_init_room(sg_buf_t *buf, unsigned char *room, size_t size)
{
    buf->data = room;
    buf->len = 0;
    buf->size = size;
    buf->owned = 0;
    buf->failed = 0;
}


void
sg_buf_free(sg_buf_t *buf)
{
    if (buf->owned) {
        free(buf->data);
    }

    sg_buf_init(buf);
}


void
sg_buf_add_uint(sg_buf_t *buf, unsigned long long n)
{
    char   digits[3 * sizeof(n)];
    char  *p;

    p = digits + sizeof(digits);

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    sg_buf_add(buf, p, (size_t) (digits + sizeof(digits) - p));
}


int
sg_buf_grow(sg_buf_t *buf, size_t len)
{
    size_t          size;
    unsigned char  *data;

    if (buf->failed || len > SIZE_MAX / 2 - buf->len) {
        return sg_buf_fail(buf);
    }

    size = buf->size ? 2 * buf->size : SG_BUF_MIN;

    if (size < buf->len + len) {
        size = buf->len + len;
    }

    data = realloc(buf->owned ? buf->data : NULL, size);
    if (data == NULL) {
        return sg_buf_fail(buf);
    }

    if (!buf->owned && buf->len) {
        memcpy(data, buf->data, buf->len);
    }

    buf->data = data;
    buf->size = size;
    buf->owned = 1;

    return 0;
}


/* what is left of its room is given up */

static int
sg_buf_fail(sg_buf_t *buf)
{
    buf->failed = 1;
    buf->size = buf->len;

    return -1;
}


int
sg_str_eq(sg_str_t a, sg_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


int
sg_str_caseeq(sg_str_t a, sg_str_t b)
{
    size_t  i;

    if (a.len != b.len) {
        return 0;
    }

    if (a.len == 0 || memcmp(a.data, b.data, a.len) == 0) {
        return 1;
    }

    for (i = 0; i < a.len; i++) {
        if (sg_lower(a.data[i]) != sg_lower(b.data[i])) {
            return 0;
        }
    }

    return 1;
}


/* tolower() would ask the locale */

static unsigned char
sg_lower(unsigned char ch)
{
    return (ch >= 'A' && ch <= 'Z') ? (unsigned char) (ch | 0x20) : ch;
}
