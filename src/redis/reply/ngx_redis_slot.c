
/*
 * The slot of a key in a cluster.
 */


#include "redis/reply/ngx_redis_slot.h"

#include <string.h>


/* CRC16, XMODEM's */

unsigned
ngx_redis_slot(const unsigned char *key, size_t len)
{
    int                   bit;
    unsigned              crc;
    const unsigned char  *p, *last, *open, *close;

    last = key + len;

    open = len ? memchr(key, '{', len) : NULL;

    if (open) {
        open++;
        close = memchr(open, '}', last - open);

        if (close && close > open) {
            key = open;
            last = close;
        }
    }

    crc = 0;

    for (p = key; p < last; p++) {
        crc ^= (unsigned) *p << 8;

        for (bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
        }

        crc &= 0xffff;
    }

    return crc % NGX_REDIS_SLOTS;
}
