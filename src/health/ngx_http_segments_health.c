
/*
 * Whether this worker's creates would find their Redis: each that they need is
 * visited, and the answer leaves when all is known.
 *
 * What a request waits with is in its pool, and in the queues of checkups that
 * are not its own: a clean-up takes it out of them, whatever ends the request.
 * The questions stay out then, and are nobody's but the checkup's.
 */


#include "health/ngx_http_segments_health.h"
#include "health/ngx_http_segments_report.h"
#include "message/ngx_http_segments_whole.h"


typedef struct ngx_http_segments_health_s  ngx_http_segments_health_t;


/* of one Redis */
typedef struct {
    ngx_redis_visitor_t           visitor;
    ngx_http_segments_needed_t   *need;
    ngx_http_segments_health_t   *health;
} ngx_http_segments_visit_t;


struct ngx_http_segments_health_s {
    ngx_http_request_t           *request;
    ngx_http_segments_health_e    status;       /* of those that are known */
    sg_buf_t                      redis;        /* their reports */
    ngx_uint_t                    pending;
    ngx_uint_t                    n;
    ngx_http_segments_visit_t    *visit;        /* n of them */
};


static ngx_http_segments_health_t *ngx_http_segments_health_create(
    ngx_http_request_t *r, ngx_array_t *needed);
static void ngx_http_segments_health_cleanup(void *data);
static ngx_int_t ngx_http_segments_health_wait(
    ngx_http_segments_health_t *health);
static void ngx_http_segments_health_known(void *data);
static void ngx_http_segments_health_found(ngx_http_segments_visit_t *visit);
static ngx_int_t ngx_http_segments_health_answer(
    ngx_http_segments_health_t *health);


ngx_int_t
ngx_http_segments_health_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_http_segments_visit_t      *visit;
    ngx_http_segments_health_t     *health;
    ngx_http_segments_main_conf_t  *smcf;

    rc = ngx_http_segments_only_read(r);

    if (rc != NGX_OK) {
        return rc;
    }

    smcf = ngx_http_get_module_main_conf(r, ngx_http_segments_module);

    health = ngx_http_segments_health_create(r, &smcf->needed);
    if (health == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (i = 0; i < health->n; i++) {
        visit = &health->visit[i];

        switch (ngx_redis_checkup(visit->need->redis, &visit->need->options,
                                  &visit->visitor))
        {
        case NGX_OK:
            ngx_http_segments_health_found(visit);
            break;

        case NGX_AGAIN:
            health->pending++;
            break;

        default: /* NGX_ERROR */
            ngx_http_segments_health_cleanup(health);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (health->pending == 0) {
        return ngx_http_segments_health_answer(health);
    }

    return ngx_http_segments_health_wait(health);
}


static ngx_http_segments_health_t *
ngx_http_segments_health_create(ngx_http_request_t *r, ngx_array_t *needed)
{
    ngx_uint_t                   i;
    ngx_http_cleanup_t          *cln;
    ngx_http_segments_needed_t  *need;
    ngx_http_segments_visit_t   *visit;
    ngx_http_segments_health_t  *health;

    health = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_health_t)
                                  + needed->nelts
                                    * sizeof(ngx_http_segments_visit_t));
    cln = ngx_http_cleanup_add(r, 0);
    if (health == NULL || cln == NULL) {
        return NULL;
    }

    need = needed->elts;
    visit = (ngx_http_segments_visit_t *) &health[1];

    for (i = 0; i < needed->nelts; i++) {
        ngx_queue_init(&visit[i].visitor.queue);

        visit[i].visitor.handler = ngx_http_segments_health_known;
        visit[i].visitor.data = &visit[i];
        visit[i].need = &need[i];
        visit[i].health = health;
    }

    sg_buf_init(&health->redis);

    health->request = r;
    health->n = needed->nelts;
    health->visit = visit;

    cln->handler = ngx_http_segments_health_cleanup;
    cln->data = health;

    return health;
}


/* nothing is heard any more: the request ends, or is answered by an error */

static void
ngx_http_segments_health_cleanup(void *data)
{
    ngx_http_segments_health_t *health = data;

    ngx_uint_t  i;

    for (i = 0; i < health->n; i++) {
        ngx_redis_checkup_leave(&health->visit[i].visitor);
    }

    sg_buf_free(&health->redis);
}


/* a client that leaves ends the request, but for the rest of a body that it
   has announced: whoever discards that sees it leave */

static ngx_int_t
ngx_http_segments_health_wait(ngx_http_segments_health_t *health)
{
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    r = health->request;

    r->main->count++;

    if (r->discard_body) {
        return NGX_DONE;
    }

    r->read_event_handler = ngx_http_test_reading;

    rev = r->connection->read;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        r->main->count--;
        ngx_http_segments_health_cleanup(health);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DONE;
}


static void
ngx_http_segments_health_known(void *data)
{
    ngx_http_segments_visit_t *visit = data;

    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_http_segments_health_t  *health;

    health = visit->health;

    ngx_http_segments_health_found(visit);

    if (--health->pending) {
        return;
    }

    r = health->request;
    c = r->connection;                  /* r may be gone afterwards */

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, ngx_http_segments_health_answer(health));

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_segments_health_found(ngx_http_segments_visit_t *visit)
{
    ngx_http_segments_health_e   status;
    ngx_http_segments_health_t  *health;

    health = visit->health;

    if (health->redis.len) {
        sg_buf_add_cstr(&health->redis, ",");
    }

    status = ngx_http_segments_report_redis(&health->redis, visit->need,
                            ngx_redis_checkup_findings(visit->need->redis));

    health->status = ngx_max(health->status, status);
}


static ngx_int_t
ngx_http_segments_health_answer(ngx_http_segments_health_t *health)
{
    sg_str_t  redis;

    if (health->redis.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    redis.data = health->redis.data;
    redis.len = health->redis.len;

    return ngx_http_segments_report(health->request, health->status, redis);
}
