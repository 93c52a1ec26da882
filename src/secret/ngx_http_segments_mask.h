
/*
 * A key that is looked for in an answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_MASK_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_MASK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "secret/ngx_http_segments_key.h"


typedef struct {
    ngx_http_segments_key_t      *key;          /* or NULL */
    size_t                        matched;      /* bytes of the key */
    u_char                        escape;       /* what is there of an escape
                                                   behind them: its last byte,
                                                   or 0 */
    size_t                        scanned;      /* bytes of u->buffer */
    u_char                       *held;         /* NULL or room for the longest
                                                   spelling, in r->pool */
    size_t                        withheld;     /* bytes there, of a body, that
                                                   may begin the key */
} ngx_http_segments_mask_t;


/*
 * Goes on at p with what the mask knows of the bytes before.  1: a key ends at
 * *end; 0: none does before "last".
 */
ngx_uint_t ngx_http_segments_mask_scan(ngx_http_segments_mask_t *mask,
    u_char *p, u_char *last, u_char **end);

/* how many bytes before "last" are those that matched so far */
size_t ngx_http_segments_mask_length(ngx_http_segments_mask_t *mask,
    u_char *pos, u_char *last);

/* a key ends at "last" */
void ngx_http_segments_mask_overwrite(ngx_http_segments_mask_t *mask,
    u_char *pos, u_char *last);


#endif /* _NGX_HTTP_SEGMENTS_MASK_H_INCLUDED_ */
