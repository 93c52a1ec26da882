
/*
 * What every fuzz target needs.
 */

#ifndef FUZZ_H
#define FUZZ_H


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/sg_buf.h"


/* a property that holds whatever the input */
#define MUST(condition)                                                       \
    if (!(condition)) {                                                       \
        fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,     \
                #condition);                                                  \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static inline sg_str_t
fuzz_str(const void *data, size_t len)
{
    sg_str_t  s;

    s.data = data;
    s.len = len;

    return s;
}


static inline sg_str_t
fuzz_buf_str(const sg_buf_t *buf)
{
    return fuzz_str(buf->data, buf->len);
}


#endif /* FUZZ_H */
