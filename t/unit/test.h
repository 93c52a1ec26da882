
/*
 * What every unit test needs: cmocka, and checks that name their table's row.
 */

#ifndef TEST_H
#define TEST_H


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/sg_buf.h"


#define N(table)  (sizeof(table) / sizeof((table)[0]))

/* a literal, which may hold U+0000 */
#define STR(s)    ((sg_str_t) sg_string(s))


static inline sg_str_t
str(const char *text)
{
    sg_str_t  s;

    s.data = (const unsigned char *) text;
    s.len = strlen(text);

    return s;
}


static inline sg_str_t
buf_str(const sg_buf_t *buf)
{
    sg_str_t  s;

    s.data = buf->data;
    s.len = buf->len;

    return s;
}


/* a copy of its own size, so that a sanitizer sees a byte read too far */

static inline sg_str_t
str_exact(sg_str_t text)
{
    sg_str_t        s;
    unsigned char  *data;

    data = malloc(text.len ? text.len : 1);
    assert_non_null(data);

    if (text.len) {
        memcpy(data, text.data, text.len);
    }

    s.data = data;
    s.len = text.len;

    return s;
}


static inline void
str_exact_free(sg_str_t text)
{
    free((void *) text.data);
}


static inline void
check_int(const char *row, long long got, long long expected)
{
    if (got != expected) {
        fail_msg("\"%s\": got %lld, expected %lld", row, got, expected);
    }
}


static inline void
check_str(const char *row, sg_str_t got, const char *expected)
{
    if (!sg_str_eq(got, str(expected))) {
        fail_msg("\"%s\": got \"%.*s\", expected \"%s\"", row, (int) got.len,
                 got.data ? (const char *) got.data : "", expected);
    }
}


/* "expected": two lower-case hexadecimal digits for each byte */

static inline void
check_bytes(const char *row, const unsigned char *got, size_t len,
    const char *expected)
{
    size_t  i;
    char    digits[2 * 64 + 1];

    assert_true(len <= 64);

    for (i = 0; i < len; i++) {
        snprintf(digits + 2 * i, 3, "%02x", got[i]);
    }

    check_str(row, str(digits), expected);
}


static inline void
check_buf(const char *row, const sg_buf_t *got, const char *expected)
{
    check_str(row, buf_str(got), expected);
}


#endif /* TEST_H */
