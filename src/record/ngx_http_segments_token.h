
/*
 * Who owns a record: a claim's token.
 */

#ifndef _NGX_HTTP_SEGMENTS_TOKEN_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_TOKEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_SEGMENTS_TOKEN_LEN   16        /* bytes, of any value */


/* a new one, of NGX_HTTP_SEGMENTS_TOKEN_LEN bytes; NGX_ERROR after a log
   line */
ngx_int_t ngx_http_segments_token(u_char *token);


#endif /* _NGX_HTTP_SEGMENTS_TOKEN_H_INCLUDED_ */
