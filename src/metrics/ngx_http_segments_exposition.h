
/*
 * What was counted, to Prometheus.
 */

#ifndef _NGX_HTTP_SEGMENTS_EXPOSITION_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_EXPOSITION_H_INCLUDED_


#include "metrics/ngx_http_segments_zone.h"
#include "contract/sg_buf.h"


/* where there is a zone */
void ngx_http_segments_expose(ngx_http_segments_metrics_conf_t *mcf,
    sg_buf_t *buf);


#endif /* _NGX_HTTP_SEGMENTS_EXPOSITION_H_INCLUDED_ */
