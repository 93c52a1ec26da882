
/*
 * Where a reader is in a body.
 */

#include "contract/sg_cursor.h"

#include <stdlib.h>
#include <string.h>


static void sg_cursor_join(sg_cursor_t *at, const sg_body_text_t *text,
    unsigned char *room, size_t overlap);


int
sg_cursor_init(sg_cursor_t *at, const sg_body_text_t *text,
    unsigned char *room, size_t overlap)
{
    at->size = text->head.len + text->rest.len;
    at->rest = text->rest;
    at->seam = NULL;
    at->strings = NULL;
    at->free = NULL;

    if (text->rest.len == 0) {
        at->p = text->head.data;
        at->end = at->p + text->head.len;
        return 0;
    }

    if (text->head.len > SG_CURSOR_HEAD) {
        return -1;
    }

    sg_cursor_join(at, text, room, overlap);

    return 0;
}


/*
 * The first piece, and as much of the second as a member should take, are
 * copied; behind the seam the second is read where it lies.
 */

static void
sg_cursor_join(sg_cursor_t *at, const sg_body_text_t *text,
    unsigned char *room, size_t overlap)
{
    size_t  n;

    n = text->rest.len;

    if (n > overlap) {
        n = overlap;
        at->seam = room + text->head.len;
    }

    if (text->head.len) {
        memcpy(room, text->head.data, text->head.len);
    }

    memcpy(room + text->head.len, text->rest.data, n);

    at->p = room;
    at->end = room + text->head.len + n;
}


void
sg_cursor_free(sg_cursor_t *at)
{
    free(at->strings);
    at->strings = NULL;
}


const unsigned char *
sg_cursor_cross_seam(sg_cursor_t *at, const unsigned char *p)
{
    p = at->rest.data + (p - at->seam);

    at->end = at->rest.data + at->rest.len;
    at->seam = NULL;

    return p;
}
