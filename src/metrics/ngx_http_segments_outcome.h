
/*
 * How a request can end.
 */

#ifndef _NGX_HTTP_SEGMENTS_OUTCOME_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_OUTCOME_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* how a request ended: $segments_outcome */
typedef enum {
    ngx_http_segments_aborted = 0,              /* the client left first */
    ngx_http_segments_forwarded,
    ngx_http_segments_unstored,
    ngx_http_segments_bypassed,
    ngx_http_segments_replayed,
    ngx_http_segments_answer_not_kept,
    ngx_http_segments_in_progress,
    ngx_http_segments_key_reused,
    ngx_http_segments_held,
    ngx_http_segments_invalid,
    ngx_http_segments_not_found,
    ngx_http_segments_not_allowed,
    ngx_http_segments_bad_content_type,
    ngx_http_segments_key_invalid,
    ngx_http_segments_key_required,
    ngx_http_segments_rate_limited,
    ngx_http_segments_redis_failed,
    ngx_http_segments_upstream_unauthorized,
    ngx_http_segments_upstream_failed,
    ngx_http_segments_refused,                  /* by nginx, with a 4xx */
    ngx_http_segments_failed                    /* by nginx, with a 5xx */
} ngx_http_segments_outcome_e;


#define NGX_HTTP_SEGMENTS_OUTCOMES  (ngx_http_segments_failed + 1)


/* the word of $segments_outcome */
const char *ngx_http_segments_outcome_name(ngx_uint_t outcome);


#endif /* _NGX_HTTP_SEGMENTS_OUTCOME_H_INCLUDED_ */
