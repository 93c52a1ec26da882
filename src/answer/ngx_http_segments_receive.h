
/*
 * What an upstream sends is masked before nginx reads it.
 */

#ifndef _NGX_HTTP_SEGMENTS_RECEIVE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_RECEIVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "upstream/ngx_http_segments_proxy_conf.h"


/* has proxy_pass read an upstream's header without the Secret Key; of a guarded
   location, when the configuration is made */
void ngx_http_segments_receive(ngx_http_proxy_loc_conf_t *plcf);


#endif /* _NGX_HTTP_SEGMENTS_RECEIVE_H_INCLUDED_ */
