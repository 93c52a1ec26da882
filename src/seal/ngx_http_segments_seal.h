
/*
 * segments_idempotency_encryption of one location: answers are sealed and
 * opened, and names hidden.
 */

#ifndef _NGX_HTTP_SEGMENTS_SEAL_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_SEAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "contract/sg_value.h"
#include "seal/ngx_http_segments_sealing.h"


/* bytes of the item behind a sealed body */
#define NGX_HTTP_SEGMENTS_SEAL  (SG_VALUE_ITEM + SG_SEAL)


typedef struct {
    ngx_array_t                  *keys;         /* ngx_http_segments_
                                                   sealing_t *: the first one
                                                   seals, all of them open; NULL
                                                   where off */
    ngx_http_segments_hiding_t   *hiding;       /* NULL: names in the clear */
    ngx_uint_t                    write;        /* unsigned  write:1; answers
                                                   are sealed, not opened only
                                                   */
} ngx_http_segments_seal_conf_t;


/* whether one opens what the other seals, and gives the same names */
ngx_uint_t ngx_http_segments_same_seal(ngx_http_segments_seal_conf_t *one,
    ngx_http_segments_seal_conf_t *other);

/*
 * Writes to "out" the sealed headers and the sealed body behind them, each as
 * long as it was, and the item with the seal: NGX_HTTP_SEGMENTS_SEAL bytes.
 */
ngx_int_t ngx_http_segments_seal(ngx_http_segments_seal_conf_t *conf,
    const sg_sealed_t *answer, u_char *out);

/* "out", of "pool", has headers and body; NGX_DECLINED when no key at hand has
   sealed it, or anything was altered, which is logged; NGX_ERROR when memory
   failed */
ngx_int_t ngx_http_segments_open(ngx_http_segments_seal_conf_t *conf,
    ngx_pool_t *pool, const sg_sealed_t *answer, const u_char seal[SG_SEAL],
    u_char **out, ngx_log_t *log);


#endif /* _NGX_HTTP_SEGMENTS_SEAL_H_INCLUDED_ */
