
/*
 * Strings by pointer and length, and a growing byte buffer.
 *
 * A buffer that could not grow is marked failed and swallows what follows, so
 * that a writer checks once, at the end.
 */

#ifndef SG_BUF_H
#define SG_BUF_H


#include <stddef.h>
#include <string.h>


typedef struct {
    const unsigned char  *data;         /* not terminated, never owned */
    size_t                len;          /* bytes */
} sg_str_t;


typedef struct {
    unsigned char        *data;         /* malloc()ed where it is owned */
    size_t                len;          /* bytes written */
    size_t                size;         /* bytes of room */
    int                   owned;        /* by the buffer, or the caller's */
    int                   failed;       /* an allocation failed, and no room
                                           is left */
} sg_buf_t;


#define sg_string(s)  { (const unsigned char *) s, sizeof(s) - 1 }


/* an empty buffer owns nothing: zeroed memory is one */
void sg_buf_init(sg_buf_t *buf);

/*
 * A buffer that begins in "room", of "size" bytes, which outlives it and is
 * left for memory of the buffer's own once it is too small.
 */
void sg_buf_init_room(sg_buf_t *buf, unsigned char *room, size_t size);

/* frees what the buffer owns and leaves it empty */
void sg_buf_free(sg_buf_t *buf);

static inline void sg_buf_add(sg_buf_t *buf, const void *data, size_t len);
static inline void sg_buf_add_char(sg_buf_t *buf, unsigned char ch);
static inline void sg_buf_add_str(sg_buf_t *buf, sg_str_t str);
static inline void sg_buf_add_cstr(sg_buf_t *buf, const char *str);
#define sg_buf_add_literal(buf, s)  sg_buf_add(buf, s, sizeof(s) - 1)
void sg_buf_add_uint(sg_buf_t *buf, unsigned long long n);

/*
 * Appends "len" bytes that the caller writes at once; NULL when the buffer has
 * failed.
 */
static inline unsigned char *sg_buf_extend(sg_buf_t *buf, size_t len);

/* makes room for "len" bytes more; 0, or -1 when the buffer has failed */
int sg_buf_grow(sg_buf_t *buf, size_t len);

/* bytes at a text's beginning that the table, of ones and zeroes, has */
static inline size_t sg_str_span(sg_str_t text, const unsigned char *table);

/* 1 when both hold the same bytes, 0 otherwise */
int sg_str_eq(sg_str_t a, sg_str_t b);

/* the same, ASCII letters in either case */
int sg_str_caseeq(sg_str_t a, sg_str_t b);


static inline size_t
sg_str_span(sg_str_t text, const unsigned char *table)
{
    size_t                i;
    const unsigned char  *p;

    p = text.data;

    for (i = 0; text.len - i >= 4; i += 4) {
        if (!(table[p[i]] & table[p[i + 1]] & table[p[i + 2]]
              & table[p[i + 3]]))
        {
            break;
        }
    }

    while (i < text.len && table[p[i]]) {
        i++;
    }

    return i;
}


static inline unsigned char *
sg_buf_extend(sg_buf_t *buf, size_t len)
{
    unsigned char  *p;

    /* one that has failed has no room left */

    if (len > buf->size - buf->len && sg_buf_grow(buf, len) != 0) {
        return NULL;
    }

    p = buf->data + buf->len;
    buf->len += len;

    return p;
}


static inline void
sg_buf_add(sg_buf_t *buf, const void *data, size_t len)
{
    unsigned char  *p;

    p = len ? sg_buf_extend(buf, len) : NULL;

    if (p) {
        memcpy(p, data, len);
    }
}


static inline void
sg_buf_add_char(sg_buf_t *buf, unsigned char ch)
{
    sg_buf_add(buf, &ch, 1);
}


static inline void
sg_buf_add_str(sg_buf_t *buf, sg_str_t str)
{
    sg_buf_add(buf, str.data, str.len);
}


static inline void
sg_buf_add_cstr(sg_buf_t *buf, const char *str)
{
    sg_buf_add(buf, str, strlen(str));
}


#endif /* SG_BUF_H */
