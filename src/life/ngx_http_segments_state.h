
/*
 * Where a request is in its life: docs/architecture.md has the drawing.
 */

#ifndef _NGX_HTTP_SEGMENTS_STATE_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_STATE_H_INCLUDED_


typedef enum {
    ngx_http_segments_start = 0,    /* path, method and header fields are
                                       judged */
    ngx_http_segments_read,         /* the body arrives; it is judged when it
                                       is complete */
    ngx_http_segments_admit,        /* Redis is asked whether the key is ours,
                                       and for its limits' leave */
    ngx_http_segments_await,        /* it is another's, whose end is waited
                                       for */
    ngx_http_segments_spend,        /* Redis is asked about limits only: those
                                       of a create without a key, and in a
                                       cluster those out of the claim's
                                       reach */
    ngx_http_segments_forward,      /* proxy_pass has the request; no answer
                                       yet */
    ngx_http_segments_capture,      /* an answer to a claimed request arrives
                                       and is held */
    ngx_http_segments_settle,       /* Redis is told how the request ended; the
                                       answer is held */
    ngx_http_segments_release,      /* Redis has been told, or could not be:
                                       the answer may leave */
    ngx_http_segments_pass,         /* the answer's bytes go to the client as
                                       they come */
    ngx_http_segments_replied       /* the gateway has answered by itself */
} ngx_http_segments_state_e;


typedef struct ngx_http_segments_ctx_s  ngx_http_segments_ctx_t;


/* the one place that changes a request's state; a step that its life does not
   have is an alert, and taken */
void ngx_http_segments_enter(ngx_http_segments_ctx_t *ctx,
    ngx_http_segments_state_e state);


#endif /* _NGX_HTTP_SEGMENTS_STATE_H_INCLUDED_ */
