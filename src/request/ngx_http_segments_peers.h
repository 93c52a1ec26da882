
/*
 * Addresses that balancers choose.
 */

#ifndef _NGX_HTTP_SEGMENTS_PEERS_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_PEERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* for postconfiguration: the addresses that groups choose are judged, too */
ngx_int_t ngx_http_segments_judge_peers(ngx_conf_t *cf);


#endif /* _NGX_HTTP_SEGMENTS_PEERS_H_INCLUDED_ */
