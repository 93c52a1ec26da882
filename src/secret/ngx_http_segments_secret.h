
/*
 * The Secret Key of a key file, and what is known of it besides.
 */

#ifndef _NGX_HTTP_SEGMENTS_SECRET_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "secret/ngx_http_segments_key.h"
#include "contract/sg_secret.h"


typedef struct ngx_http_segments_taken_s  ngx_http_segments_taken_t;


typedef struct {
    ngx_str_t                     path;         /* of the key file */
    sg_environment_e              environment;
    ngx_http_segments_key_t      *key;          /* for new requests */
    ngx_http_segments_key_t      *previous;     /* which an upstream may still
                                                   know; or NULL */
    ngx_shm_t                     shm;          /* of "taken" */
    ngx_http_segments_taken_t    *taken;        /* what workers took up, for the
                                                   next configuration */
} ngx_http_segments_secret_t;


/*
 * "secrets" are of ngx_http_segments_secret_t *: the same path gives the same
 * one; NULL after an emerg log line
 */
ngx_http_segments_secret_t *ngx_http_segments_secret(ngx_conf_t *cf,
    ngx_array_t *secrets, ngx_str_t *path);

/* when all key files are read: the keys before a reload are looked for, too;
   "old" are the secrets of then */
void ngx_http_segments_inherit_keys(ngx_conf_t *cf, ngx_array_t *secrets,
    ngx_array_t *old);

/*
 * Of a worker that has taken up another key: tells it to the master process,
 * which would not know it when a reload brings the next one.
 */
void ngx_http_segments_tell_keys(ngx_http_segments_secret_t *secret);


#endif /* _NGX_HTTP_SEGMENTS_SECRET_H_INCLUDED_ */
