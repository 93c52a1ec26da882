
/*
 * What an upstream may have of a request.
 */


#include "upstream/ngx_http_segments_sent.h"


ngx_uint_t
ngx_http_segments_sent(ngx_http_request_t *r, ngx_uint_t answered)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (answered) {
        return 1;
    }

    if (r->upstream && r->upstream->peer.connection
        && r->upstream->peer.connection->sent)
    {
        return 1;
    }

    if (r->upstream_states == NULL) {
        return 0;
    }

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].bytes_sent) {
            return 1;
        }
    }

    return 0;
}


void
ngx_http_segments_abandon(ngx_http_request_t *r)
{
    /* an interim answer without a body counts as a whole one to proxy_pass */

    if (r->upstream) {
        r->upstream->keepalive = 0;
    }
}
