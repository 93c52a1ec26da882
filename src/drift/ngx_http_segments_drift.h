
/*
 * An answer that is not as documented is counted and told of.
 */

#ifndef _NGX_HTTP_SEGMENTS_DRIFT_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_DRIFT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "drift/ngx_http_segments_sample.h"


/* of one configuration, with the memory that its workers share; NULL when
   memory failed */
ngx_http_segments_drift_lines_t *ngx_http_segments_drift_lines(ngx_conf_t *cf);

/*
 * Compares the answer, once, where all of it has come; counts it, and logs what
 * is to be told.  For when the client has its answer.
 */
void ngx_http_segments_compare(ngx_http_segments_sample_t *sample,
    ngx_log_t *log);


#endif /* _NGX_HTTP_SEGMENTS_DRIFT_H_INCLUDED_ */
