
/*
 * Duplicates that wait for the first one's answer.
 *
 * A duplicate whose key is in progress waits until it hears that this has come
 * to its end, and asks again with its own token: it is answered as a request
 * that comes later, or has won the claim.  Nothing else lets it go on.
 *
 * Redis says when, on a channel of the worker's own.  Where it cannot, and for
 * an owner that died, a duplicate asks by itself from time to time.
 */


#include "idempotency/ngx_http_segments_wait.h"
#include "metrics/ngx_http_segments_gauge.h"


/* between two asks without news, milliseconds: the first is doubled until the
   last */
#define NGX_HTTP_SEGMENTS_POLL_FIRST  100
#define NGX_HTTP_SEGMENTS_POLL_LAST   1000


static ngx_http_segments_waiter_t *ngx_http_segments_wait_begin(
    ngx_http_request_t *r, ngx_http_segments_idempotency_conf_t *conf,
    ngx_http_segments_claim_t *claim);
static ngx_msec_t ngx_http_segments_wait_next(ngx_http_segments_waiter_t *w,
    ngx_http_segments_claim_t *claim, ngx_redis_record_verdict_e verdict,
    ngx_msec_t lease_left);
static void ngx_http_segments_wait_share(ngx_http_segments_waiter_t *w,
    const ngx_redis_record_reply_t *reply);
static u_char *ngx_http_segments_wait_keep(u_char *p, ngx_redis_text_t *text);
static void ngx_http_segments_wait_handler(ngx_event_t *ev);


/* of this worker */
static ngx_uint_t  ngx_http_segments_waiters;


ngx_int_t
ngx_http_segments_wait(ngx_http_request_t *r,
    ngx_http_segments_waiter_t **waiter,
    ngx_http_segments_idempotency_conf_t *conf,
    ngx_http_segments_claim_t *claim, ngx_redis_record_verdict_e verdict,
    ngx_msec_t lease_left)
{
    ngx_msec_t                   left, next;
    ngx_http_segments_waiter_t  *w;

    if (*waiter == NULL) {
        *waiter = ngx_http_segments_wait_begin(r, conf, claim);
    }

    w = *waiter;

    /* who has ended its wait does not begin again: nothing would end that */

    if (w == NULL || w->key == NULL || ngx_http_segments_wait_over(w)) {
        return NGX_DECLINED;
    }

    w->asking = 0;

    if (w->news) {

        /* at once, by a timer: a worker that shuts down waits for these, and
           not for what is posted */

        ngx_add_timer(&w->event, 1);
        return NGX_DONE;
    }

    left = w->deadline - ngx_current_msec;

    next = ngx_http_segments_wait_next(w, claim, verdict, lease_left);

    ngx_add_timer(&w->event, ngx_min(left, next));

    return NGX_DONE;
}


/* NULL where there is no room, and nothing to wait in */

static ngx_http_segments_waiter_t *
ngx_http_segments_wait_begin(ngx_http_request_t *r,
    ngx_http_segments_idempotency_conf_t *conf,
    ngx_http_segments_claim_t *claim)
{
    ngx_http_segments_room_t     *room;
    ngx_http_segments_waiter_t   *w;
    ngx_http_segments_awaited_t  *key;

    if (conf->wait == 0 || ngx_http_segments_waiters >= conf->waiters) {
        return NULL;
    }

    w = ngx_pcalloc(r->pool, sizeof(ngx_http_segments_waiter_t));
    room = ngx_http_segments_room(conf->room,
                                  ngx_http_segments_claim_store(claim));
    if (w == NULL || room == NULL) {
        return NULL;
    }

    key = ngx_http_segments_awaited(room, ngx_http_segments_claim_name(claim));

    if (key == NULL || key->nwaiters >= conf->waiters_per_key) {
        return NULL;
    }

    w->request = r;
    w->room = room;
    w->key = key;
    ngx_memcpy(w->fingerprint, ngx_http_segments_claim_fingerprint(claim),
               SG_VALUE_FINGERPRINT);
    w->deadline = ngx_current_msec + conf->wait;
    w->poll = NGX_HTTP_SEGMENTS_POLL_FIRST;
    w->event.handler = ngx_http_segments_wait_handler;
    w->event.data = w;
    w->event.log = r->connection->log;

    ngx_queue_insert_tail(&key->waiters, &w->queue);
    key->nwaiters++;
    ngx_http_segments_waiters++;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_waiting,
                                ngx_http_segments_waiters);

    ngx_redis_channel_listen(room->channel, 1);

    return w;
}


/* milliseconds until the next ask, if nothing is heard before */

static ngx_msec_t
ngx_http_segments_wait_next(ngx_http_segments_waiter_t *w,
    ngx_http_segments_claim_t *claim, ngx_redis_record_verdict_e verdict,
    ngx_msec_t lease_left)
{
    ngx_msec_t  next;

    next = w->poll;

    if (verdict != ngx_redis_record_in_progress) {
        w->poll = ngx_min(2 * next, NGX_HTTP_SEGMENTS_POLL_LAST);
        return next;
    }

    if (ngx_redis_channel_name(w->room->channel) == NULL) {
        w->poll = ngx_min(2 * next, NGX_HTTP_SEGMENTS_POLL_LAST);

    } else if (!w->named) {

        /* subscribed meanwhile, but the record does not know it */

        next = 0;

    } else {
        next = ngx_http_segments_claim_lease(claim) / 3;
    }

    /* an owner that died does not say so */

    return ngx_min(next, lease_left + 1);
}


ngx_uint_t
ngx_http_segments_wait_over(ngx_http_segments_waiter_t *w)
{
    return (ngx_msec_int_t) (w->deadline - ngx_current_msec) <= 0;
}


void
ngx_http_segments_wait_ask(ngx_http_segments_waiter_t *w,
    ngx_http_segments_claim_t *claim)
{
    ngx_str_t  *name;

    w->asking = 1;
    w->news = 0;

    name = ngx_redis_channel_name(w->room->channel);

    w->named = (name != NULL);

    ngx_http_segments_claim_listen(claim, name);
}


void
ngx_http_segments_wait_told(ngx_http_segments_waiter_t *w,
    const ngx_redis_record_reply_t *reply)
{
    if (w == NULL || w->key == NULL || !w->leads || w->news) {
        return;
    }

    w->leads = 0;

    switch (reply->verdict) {

    case ngx_redis_record_replay:
    case ngx_redis_record_tombstone:
        ngx_http_segments_wait_share(w, reply);
        break;

    case ngx_redis_record_in_progress:

        /* whose end will be told to all of them, if it knows where */

        if (w->named) {
            return;
        }

        break;

    default:
        break;
    }

    ngx_http_segments_wait_lead(w->key, ngx_queue_next(&w->queue));
}


/* without memory each asks by itself */

static void
ngx_http_segments_wait_share(ngx_http_segments_waiter_t *w,
    const ngx_redis_record_reply_t *reply)
{
    u_char                      *p;
    ngx_queue_t                 *q;
    ngx_http_segments_shared_t  *shared;
    ngx_http_segments_waiter_t  *other;

    shared = NULL;

    for (q = ngx_queue_head(&w->key->waiters);
         q != ngx_queue_sentinel(&w->key->waiters);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_segments_waiter_t, queue);

        /* the key may have become another body's: who waits for the one before
           asks by itself */

        if (other == w || !other->shares || other->shared
            || ngx_memcmp(other->fingerprint, w->fingerprint,
                          SG_VALUE_FINGERPRINT)
               != 0)
        {
            continue;
        }

        if (other->asking) {

            /* what it hears may be older */

            other->news = 1;
            continue;
        }

        if (shared == NULL) {
            shared = ngx_alloc(sizeof(ngx_http_segments_shared_t)
                               + reply->headers.len + reply->body.len
                               + reply->head.len + reply->seal.len,
                               ngx_cycle->log);
            if (shared == NULL) {
                return;
            }

            p = (u_char *) &shared[1];

            shared->refs = 0;
            shared->reply = *reply;

            p = ngx_http_segments_wait_keep(p, &shared->reply.headers);
            p = ngx_http_segments_wait_keep(p, &shared->reply.body);
            p = ngx_http_segments_wait_keep(p, &shared->reply.head);
            (void) ngx_http_segments_wait_keep(p, &shared->reply.seal);
        }

        shared->refs++;
        other->shared = shared;

        ngx_post_event(&other->event, &ngx_posted_next_events);
    }
}


/* in the place that follows, and returns the next one */

static u_char *
ngx_http_segments_wait_keep(u_char *p, ngx_redis_text_t *text)
{
    u_char  *last;

    last = p;

    if (text->len) {
        last = ngx_cpymem(p, text->data, text->len);
    }

    text->data = (char *) p;

    return last;
}


void
ngx_http_segments_wait_forget(ngx_http_segments_waiter_t *w)
{
    if (w->shared && --w->shared->refs == 0) {
        ngx_free(w->shared);
    }

    w->shared = NULL;
}


void
ngx_http_segments_wait_end(ngx_http_segments_waiter_t *w)
{
    ngx_http_segments_awaited_t  *key;

    if (w == NULL || w->key == NULL) {
        return;
    }

    ngx_http_segments_wait_forget(w);

    if (w->leads) {
        w->leads = 0;
        ngx_http_segments_wait_lead(w->key, ngx_queue_next(&w->queue));
    }

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    if (w->event.posted) {
        ngx_delete_posted_event(&w->event);
    }

    key = w->key;
    w->key = NULL;

    ngx_queue_remove(&w->queue);
    ngx_http_segments_waiters--;
    ngx_http_segments_set_gauge(ngx_http_segments_gauge_waiting,
                                ngx_http_segments_waiters);

    if (--key->nwaiters == 0) {
        ngx_rbtree_delete(&w->room->keys, &key->sn.node);
        ngx_free(key);
    }

    if (w->room->keys.root == w->room->keys.sentinel) {
        ngx_redis_channel_listen(w->room->channel, 0);
    }
}


static void
ngx_http_segments_wait_handler(ngx_event_t *ev)
{
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_http_segments_waiter_t  *w;

    w = ev->data;
    r = w->request;
    c = r->connection;

    if (w->asking) {
        w->news = 1;
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ngx_http_set_log_request(c->log, r);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);

    ngx_http_run_posted_requests(c);
}
