
/*
 * An answer of the upstream, a copy of which is kept until it can be compared:
 * the answer itself leaves at once, or belongs to a claim.
 */


#include "drift/ngx_http_segments_sample.h"


/* the first piece of memory for a body of unknown length */
#define NGX_HTTP_SEGMENTS_SAMPLE  4096


static void ngx_http_segments_sample_add(ngx_http_segments_sample_t *sample,
    u_char *data, size_t len);
static ngx_int_t ngx_http_segments_sample_room(
    ngx_http_segments_sample_t *sample, size_t len);
static void ngx_http_segments_sample_leave(
    ngx_http_segments_sample_t *sample);


ngx_http_segments_sample_t *
ngx_http_segments_sample(ngx_http_request_t *r,
    ngx_http_segments_drift_conf_t *conf, sg_operation_e operation)
{
    off_t                        length;
    ngx_http_segments_sample_t  *sample;

    sample = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_sample_t));
    if (sample == NULL) {
        return NULL;
    }

    sample->conf = conf;
    sample->pool = r->pool;
    sample->compared = ngx_http_segments_compared_unchecked;
    sample->operation = operation;
    sample->status = r->headers_out.status;
    sample->type = r->headers_out.content_type;

    length = r->headers_out.content_length_n;

    /* by chance: answers that come in turns would be drawn in turns */

    if (length > NGX_HTTP_SEGMENTS_SAMPLE_MAX
        || (conf->sample > 1 && ngx_random() % conf->sample))
    {
        sample->state = ngx_http_segments_sample_left;

    } else if (sample->status == NGX_HTTP_NO_CONTENT) {

        /* nginx may not hand on the end of a body that cannot be */

        sample->state = ngx_http_segments_sample_complete;
    }

    return sample;
}


void
ngx_http_segments_sample_body(ngx_http_segments_sample_t *sample,
    ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {

        if (sample->state != ngx_http_segments_sample_arriving) {
            return;
        }

        b = in->buf;

        if (ngx_buf_in_memory(b) && b->last != b->pos) {
            ngx_http_segments_sample_add(sample, b->pos, b->last - b->pos);
        }

        if (b->last_buf && sample->state == ngx_http_segments_sample_arriving) {
            sample->state = ngx_http_segments_sample_complete;
        }
    }
}


void
ngx_http_segments_sample_cut(ngx_http_segments_sample_t *sample)
{
    if (sample->state == ngx_http_segments_sample_arriving) {
        ngx_http_segments_sample_leave(sample);
    }
}


static void
ngx_http_segments_sample_add(ngx_http_segments_sample_t *sample, u_char *data,
    size_t len)
{
    if (ngx_http_segments_sample_room(sample, len) != NGX_OK) {
        ngx_http_segments_sample_leave(sample);
        return;
    }

    sample->body->last = ngx_cpymem(sample->body->last, data, len);
}


/* NGX_DECLINED where the body is too large, NGX_ERROR when memory failed */

static ngx_int_t
ngx_http_segments_sample_room(ngx_http_segments_sample_t *sample, size_t len)
{
    size_t      size, used;
    ngx_buf_t  *b, *body;

    body = sample->body;

    size = body ? (size_t) (body->end - body->start) : 0;
    used = body ? (size_t) (body->last - body->pos) : 0;

    if (len <= size - used) {
        return NGX_OK;
    }

    if (len > NGX_HTTP_SEGMENTS_SAMPLE_MAX - used) {
        return NGX_DECLINED;
    }

    size = ngx_max(2 * size, NGX_HTTP_SEGMENTS_SAMPLE);
    size = ngx_min(ngx_max(size, used + len), NGX_HTTP_SEGMENTS_SAMPLE_MAX);

    b = ngx_create_temp_buf(sample->pool, size);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (body) {
        b->last = ngx_cpymem(b->last, body->pos, used);
        (void) ngx_pfree(sample->pool, body->start);
    }

    sample->body = b;

    return NGX_OK;
}


static void
ngx_http_segments_sample_leave(ngx_http_segments_sample_t *sample)
{
    sample->state = ngx_http_segments_sample_left;

    if (sample->body) {
        (void) ngx_pfree(sample->pool, sample->body->start);
        sample->body = NULL;
    }
}
