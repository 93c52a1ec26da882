
/*
 * The directive segments_idempotency_encryption.
 */

#ifndef _NGX_HTTP_SEGMENTS_DIRECTIVES_SEAL_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_DIRECTIVES_SEAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* setter */
char *ngx_http_segments_idempotency_encryption(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


#endif /* _NGX_HTTP_SEGMENTS_DIRECTIVES_SEAL_H_INCLUDED_ */
