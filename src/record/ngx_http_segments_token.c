
/*
 * Names that nobody else has: of a claim's owner, and of what was paid.
 */


#include "record/ngx_http_segments_token.h"


#include <openssl/rand.h>


/* so many at once cost OpenSSL little more than one */
#define NGX_HTTP_SEGMENTS_TOKENS       64


ngx_int_t
ngx_http_segments_token(u_char *token)
{
    /* of this worker: the master never takes any */

    static u_char      random[NGX_HTTP_SEGMENTS_TOKENS]
                             [NGX_HTTP_SEGMENTS_TOKEN_LEN];
    static ngx_uint_t  left;

    if (left == 0) {

        if (RAND_bytes(random[0], sizeof(random)) != 1) {
            ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                          "RAND_bytes() failed");
            return NGX_ERROR;
        }

        left = NGX_HTTP_SEGMENTS_TOKENS;
    }

    ngx_memcpy(token, random[--left], NGX_HTTP_SEGMENTS_TOKEN_LEN);

    return NGX_OK;
}
