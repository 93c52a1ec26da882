
/*
 * The Secret Key in an answer.
 */

#ifndef _NGX_HTTP_SEGMENTS_REDACT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_REDACT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "secret/ngx_http_segments_mask.h"
#include "secret/ngx_http_segments_secret.h"


/* the key that a request was sent with, and the one before or after it */
#define NGX_HTTP_SEGMENTS_MASKS           2

typedef struct {
    ngx_http_segments_mask_t      mask[NGX_HTTP_SEGMENTS_MASKS];
                                                /* the first since forward, the
                                                   other since an answer */
    unsigned                      masked:1;     /* there was a key before the
                                                   body */
} ngx_http_segments_masks_t;


/* keys that were overwritten: where the first and the last ended, or NULL */
typedef struct {
    u_char                       *first;
    u_char                       *last;
} ngx_http_segments_found_t;


/* an answer begins: which keys it must not have, besides the one sent; again
   for each answer */
void ngx_http_segments_redact_begin(ngx_http_segments_masks_t *masks,
    ngx_http_segments_secret_t *secret);

/* overwrites the keys in a text; 1 when there was one */
ngx_uint_t ngx_http_segments_redact(ngx_http_segments_masks_t *masks,
    ngx_str_t *text);

/*
 * The same in what came behind the last call into a buffer whose "start" has
 * stayed: returns the end of what is sure to be no key's beginning.
 */
u_char *ngx_http_segments_redact_arrived(ngx_http_segments_masks_t *masks,
    ngx_buf_t *b, ngx_http_segments_found_t *found);

/* its content was moved down by "offset" bytes */
void ngx_http_segments_redact_moved(ngx_http_segments_masks_t *masks,
    size_t offset);

/* what comes next has nothing to do with what came before */
void ngx_http_segments_redact_restart(ngx_http_segments_masks_t *masks);

/* whether a text before the body has what a key is overwritten with */
ngx_uint_t ngx_http_segments_redacted(ngx_http_segments_masks_t *masks,
    ngx_str_t *text);

/* the same in a body that comes in pieces; "out" is made of r->pool */
ngx_int_t ngx_http_segments_redact_chain(ngx_http_request_t *r,
    ngx_http_segments_masks_t *masks, ngx_chain_t *in, ngx_chain_t **out);


#endif /* _NGX_HTTP_SEGMENTS_REDACT_H_INCLUDED_ */
