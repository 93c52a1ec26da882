
/*
 * An answer that is not as documented is counted and told of.  What is told are
 * words of the documentation: never a byte of the answer.
 */


#include "drift/ngx_http_segments_drift.h"
#include "message/ngx_http_segments_text.h"


static void ngx_http_segments_drift_cleanup(void *data);
static void ngx_http_segments_drift_found(ngx_http_segments_sample_t *sample,
    sg_drift_t *drift, ngx_log_t *log);
static void ngx_http_segments_drift_additional(
    ngx_http_segments_sample_t *sample, sg_drift_t *drift, ngx_log_t *log);
static ngx_uint_t ngx_http_segments_drift_turn(
    ngx_http_segments_told_t *told);


ngx_http_segments_drift_lines_t *
ngx_http_segments_drift_lines(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t               *cln;
    ngx_http_segments_drift_lines_t  *lines;

    lines = ngx_pcalloc(cf->pool, sizeof(ngx_http_segments_drift_lines_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (lines == NULL || cln == NULL) {
        return NULL;
    }

    lines->shm.size = ngx_pagesize;
    lines->shm.log = cf->cycle->log;
    ngx_str_set(&lines->shm.name, "segments_contract");

    if (ngx_shm_alloc(&lines->shm) != NGX_OK) {
        return NULL;
    }

    cln->handler = ngx_http_segments_drift_cleanup;
    cln->data = lines;

    lines->drift = (ngx_http_segments_told_t *) lines->shm.addr;
    lines->additional = &lines->drift[1];

    return lines;
}


static void
ngx_http_segments_drift_cleanup(void *data)
{
    ngx_http_segments_drift_lines_t *lines = data;

    ngx_shm_free(&lines->shm);
}


void
ngx_http_segments_compare(ngx_http_segments_sample_t *sample, ngx_log_t *log)
{
    sg_drift_t     drift;
    sg_answered_t  answer;

    if (sample->state == ngx_http_segments_sample_compared) {
        return;
    }

    ngx_memzero(&drift, sizeof(sg_drift_t));

    if (sample->state == ngx_http_segments_sample_complete) {

        ngx_memzero(&answer, sizeof(sg_answered_t));

        answer.status = sample->status;
        answer.type = ngx_http_segments_text(&sample->type);

        if (sample->body) {
            answer.body.data = sample->body->pos;
            answer.body.len = sample->body->last - sample->body->pos;
        }

        switch (sg_drift_check(sample->operation, &answer, &drift)) {

        case sg_drift_none:
            sample->compared = ngx_http_segments_compared_ok;
            break;

        case sg_drift_found:
            sample->compared = ngx_http_segments_compared_drift;
            ngx_http_segments_drift_found(sample, &drift, log);
            break;

        default: /* sg_drift_unchecked, sg_drift_failed */
            break;
        }

        if (drift.additional) {
            ngx_http_segments_drift_additional(sample, &drift, log);
        }
    }

    sample->state = ngx_http_segments_sample_compared;

    ngx_http_segments_count_answer(sample->conf->metrics->compared,
                                   sample->operation, sample->compared,
                                   &drift);
}


static void
ngx_http_segments_drift_found(ngx_http_segments_sample_t *sample,
    sg_drift_t *drift, ngx_log_t *log)
{
    ngx_uint_t  n;

    n = ngx_http_segments_drift_turn(sample->conf->lines->drift);

    if (n) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "upstream's answer to \"%s\" is not as documented: "
                      "\"%s\" %s, %ui such answers so far",
                      sg_operation_name(sample->operation),
                      sg_field_path(drift->first), drift->words, n);
    }
}


static void
ngx_http_segments_drift_additional(ngx_http_segments_sample_t *sample,
    sg_drift_t *drift, ngx_log_t *log)
{
    ngx_uint_t  field, n;

    n = ngx_http_segments_drift_turn(sample->conf->lines->additional);

    if (n == 0) {
        return;
    }

    for (field = 0; !(drift->additional & SG_FIELD(field)); field++) {
        /* void */
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0,
                  "upstream's answer to \"%s\" has more than documented: "
                  "members of \"%s\", %ui such answers so far",
                  sg_operation_name(sample->operation), sg_field_path(field),
                  n);
}


/* which answer of its kind this is, where there is to be a line; or 0 */

static ngx_uint_t
ngx_http_segments_drift_turn(ngx_http_segments_told_t *told)
{
    ngx_uint_t         n;
    ngx_atomic_uint_t  last, now;

    n = ngx_atomic_fetch_add(&told->answers, 1) + 1;

    last = told->time;
    now = ngx_max(ngx_current_msec, 1);

    return sg_drift_due(last, now)
           && ngx_atomic_cmp_set(&told->time, last, now) ? n : 0;
}
