
/*
 * How a request can end, in words.
 */


#include "metrics/ngx_http_segments_outcome.h"


static const char  *ngx_http_segments_outcomes[] = {
    [ngx_http_segments_aborted] = "aborted",
    [ngx_http_segments_forwarded] = "forwarded",
    [ngx_http_segments_unstored] = "unstored",
    [ngx_http_segments_bypassed] = "bypassed",
    [ngx_http_segments_replayed] = "replayed",
    [ngx_http_segments_answer_not_kept] = "answer_not_kept",
    [ngx_http_segments_in_progress] = "in_progress",
    [ngx_http_segments_key_reused] = "key_reused",
    [ngx_http_segments_held] = "held",
    [ngx_http_segments_invalid] = "invalid",
    [ngx_http_segments_not_found] = "not_found",
    [ngx_http_segments_not_allowed] = "not_allowed",
    [ngx_http_segments_bad_content_type] = "bad_content_type",
    [ngx_http_segments_key_invalid] = "key_invalid",
    [ngx_http_segments_key_required] = "key_required",
    [ngx_http_segments_rate_limited] = "rate_limited",
    [ngx_http_segments_redis_failed] = "redis_failed",
    [ngx_http_segments_upstream_unauthorized] = "upstream_unauthorized",
    [ngx_http_segments_upstream_failed] = "upstream_failed",
    [ngx_http_segments_refused] = "refused",
    [ngx_http_segments_failed] = "failed"
};


const char *
ngx_http_segments_outcome_name(ngx_uint_t outcome)
{
    return ngx_http_segments_outcomes[outcome];
}
