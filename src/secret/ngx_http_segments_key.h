
/*
 * One Secret Key.
 */

#ifndef _NGX_HTTP_SEGMENTS_KEY_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_KEY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "contract/sg_secret.h"
#include "keyfile/ngx_http_segments_key_file.h"


/* one Secret Key: freed, and overwritten, with the last who uses it */
typedef struct {
    ngx_uint_t                    users;
    size_t                        size;         /* of this and what follows */
    ngx_str_t                     key;
    ngx_str_t                     authorization;    /* "Bearer <key>" */
    u_short                      *table;        /* to find the key in a text */
    unsigned                      plain:1;      /* spelled in one way only */
} ngx_http_segments_key_t;


/*
 * "text" points into the file.  NULL, or what is wrong with the file: words
 * that follow its name.
 */
const char *ngx_http_segments_parse_key(ngx_http_segments_key_file_t *file,
    ngx_str_t *text, sg_environment_e *environment);

/* with one user; NULL when memory failed */
ngx_http_segments_key_t *ngx_http_segments_create_key(ngx_str_t *text,
    ngx_log_t *log);

/* one user more, and one less; "key" may be NULL */
ngx_http_segments_key_t *ngx_http_segments_use_key(
    ngx_http_segments_key_t *key);
void ngx_http_segments_drop_key(ngx_http_segments_key_t *key);

/* whether it is that of the text */
ngx_uint_t ngx_http_segments_same_key(ngx_http_segments_key_t *key,
    ngx_str_t *text);


#endif /* _NGX_HTTP_SEGMENTS_KEY_H_INCLUDED_ */
