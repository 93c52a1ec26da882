
/*
 * A group of servers may change after it was judged, by "resolve" or a balancer
 * of another module: where such a group is reached by http, each address that
 * its balancer chooses is judged before a connection is made, or taken from
 * those that were kept.
 */


#include "request/ngx_http_segments_peers.h"
#include "life/ngx_http_segments_conf.h"
#include "life/ngx_http_segments_life.h"
#include "upstream/ngx_http_segments_reach.h"


static ngx_int_t ngx_http_segments_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_segments_get_peer(ngx_peer_connection_t *pc,
    void *data);


ngx_int_t
ngx_http_segments_judge_peers(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_http_segments_srv_conf_t    *sscf;
    ngx_http_upstream_srv_conf_t   **uscfp;
    ngx_http_upstream_main_conf_t   *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);

    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        /* the addresses of what is no group stay as they were judged */

        if (uscfp[i]->srv_conf == NULL) {
            continue;
        }

        sscf = ngx_http_conf_upstream_srv_conf(uscfp[i],
                                               ngx_http_segments_module);

        sscf->init_peer = uscfp[i]->peer.init;
        uscfp[i]->peer.init = ngx_http_segments_init_peer;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_segments_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_int_t                      rc;
    ngx_http_segments_ctx_t       *ctx;
    ngx_http_segments_srv_conf_t  *sscf;
    ngx_http_segments_loc_conf_t  *slcf;

    sscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_segments_module);

    rc = sscf->init_peer(r, us);

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_segments_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_segments_module);

    /* without a context the Secret Key is not with the request */

    if (rc != NGX_OK || !slcf->enable || ctx == NULL || slcf->upstream_insecure
        || r->upstream->ssl)
    {
        return rc;
    }

    /* the balancer's own data stay where it looks for them */

    ctx->get_peer = r->upstream->peer.get;
    r->upstream->peer.get = ngx_http_segments_get_peer;

    return NGX_OK;
}


/* the peer is ours: its address stays readable without the peers' lock */

static ngx_int_t
ngx_http_segments_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_int_t                 rc;
    ngx_http_log_ctx_t       *lctx;
    ngx_http_segments_ctx_t  *ctx;

    lctx = pc->log->data;
    ctx = ngx_http_get_module_ctx(lctx->request, ngx_http_segments_module);

    rc = ctx->get_peer(pc, data);

    if ((rc != NGX_OK && rc != NGX_DONE)
        || ngx_http_segments_local_addr(pc->sockaddr))
    {
        return rc;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_redis_tally(pc->log), 0,
                  "upstream server \"%V\" is not on this host: the Secret Key "
                  "would travel unprotected", pc->name);

    return NGX_ERROR;
}
