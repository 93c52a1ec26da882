
/*
 * Whether the body of a request is one that Qonversion documents.
 */


#include "request/ngx_http_segments_body.h"
#include "contract/sg_body.h"
#include "life/ngx_http_segments_conf.h"
#include "message/ngx_http_segments_text.h"
#include "request/ngx_http_segments_refuse.h"


static off_t ngx_http_segments_body_size(ngx_http_request_t *r);
static ngx_int_t ngx_http_segments_body_query(ngx_http_request_t *r,
    u_char *fingerprint);
static ngx_int_t ngx_http_segments_body(ngx_http_request_t *r, size_t size,
    sg_body_text_t *text, u_char **copy);
static ngx_int_t ngx_http_segments_body_in_place(ngx_http_request_t *r,
    sg_body_text_t *text);
static u_char *ngx_http_segments_body_copy(ngx_http_request_t *r, size_t size);


ngx_int_t
ngx_http_segments_validate_body(ngx_http_request_t *r,
    ngx_http_segments_ctx_t *ctx)
{
    off_t                          size;
    u_char                        *fingerprint, *copy;
    ngx_int_t                      rc;
    sg_body_e                      verdict;
    sg_errors_t                    errors;
    sg_body_text_t                 text;
    ngx_http_segments_loc_conf_t  *slcf;

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);

    size = ngx_http_segments_body_size(r);

    if (!sg_operation_has_body(ctx->route.operation)) {

        if (size) {
            return ngx_http_segments_refuse(r, ctx,
                                      ngx_http_segments_refuse_unexpected_body,
                                      NULL);
        }

        return NGX_OK;
    }

    if (ngx_http_segments_body(r, (size_t) size, &text, &copy) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    fingerprint = ctx->key.len ? ctx->fingerprint : NULL;

    sg_errors_init(&errors);

    verdict = sg_body_check(ctx->route.operation, &text,
                            slcf->unknown_fields == NGX_HTTP_SEGMENTS_PASS,
                            &errors, fingerprint);

    /* a large one must not stay for as long as the upstream takes */

    if (copy) {
        (void) ngx_pfree(r->pool, copy);
    }

    switch (verdict) {

    case sg_body_ok:
        rc = ngx_http_segments_body_query(r, fingerprint);
        break;

    case sg_body_failed:
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        break;

    default:
        rc = ngx_http_segments_refuse(r, ctx, ngx_http_segments_refuse_body,
                                      &errors);
    }

    sg_errors_free(&errors);

    return rc;
}


/* a query that passes unchecked may ask for something else, of one body */

static ngx_int_t
ngx_http_segments_body_query(ngx_http_request_t *r, u_char *fingerprint)
{
    if (fingerprint == NULL
        || r->args.len == 0
        || sg_fingerprint_query(fingerprint, ngx_http_segments_text(&r->args))
           == 0)
    {
        return NGX_OK;
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static off_t
ngx_http_segments_body_size(ngx_http_request_t *r)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;

    if (r->request_body) {
        for (cl = r->request_body->bufs; cl; cl = cl->next) {
            size += ngx_buf_size(cl->buf);
        }
    }

    return size;
}


/*
 * The body as nginx has read it, where that is one buffer or two: the second is
 * for what did not come with the header.  Otherwise a copy in r->pool.
 */

static ngx_int_t
ngx_http_segments_body(ngx_http_request_t *r, size_t size,
    sg_body_text_t *text, u_char **copy)
{
    *copy = NULL;

    ngx_memzero(text, sizeof(sg_body_text_t));

    if (size == 0 || ngx_http_segments_body_in_place(r, text) == NGX_OK) {
        return NGX_OK;
    }

    *copy = ngx_http_segments_body_copy(r, size);
    if (*copy == NULL) {
        return NGX_ERROR;
    }

    text->head.data = *copy;
    text->head.len = size;
    text->rest.len = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_body_in_place(ngx_http_request_t *r, sg_body_text_t *text)
{
    sg_str_t     *part;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    part = &text->head;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        b = cl->buf;

        /* a chunked body ends with a buffer of nothing */

        if (ngx_buf_size(b) == 0) {
            continue;
        }

        if (part == NULL || !ngx_buf_in_memory(b)) {
            return NGX_DECLINED;
        }

        part->data = b->pos;
        part->len = b->last - b->pos;

        part = (part == &text->head) ? &text->rest : NULL;
    }

    return NGX_OK;
}


/* NULL after a log line */

static u_char *
ngx_http_segments_body_copy(ngx_http_request_t *r, size_t size)
{
    u_char       *p, *copy;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    copy = ngx_pnalloc(r->pool, size);
    if (copy == NULL) {
        return NULL;
    }

    p = copy;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (!b->in_file) {
            continue;
        }

        /* as nginx' own filters read it: just written, in the page cache */

        n = ngx_read_file(b->file, p, (size_t) (b->file_last - b->file_pos),
                          b->file_pos);

        if (n != (ssize_t) (b->file_last - b->file_pos)) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "the request body's file is short");
            return NULL;
        }

        p += n;
    }

    return copy;
}
