
/*
 * Timers of one length in a queue, with one of nginx's for all of them.
 */


#include "worker/ngx_segments_timer.h"


/* lengths that have a queue each: some for each timeout of a Redis and for each
   lease; further ones share the last, where a timer looks longer for its
   place */
#define NGX_SEGMENTS_TIMER_LENGTHS  32


struct ngx_segments_timers_s {
    ngx_queue_t            queue;       /* what is due first is the head */
    ngx_msec_t             length;

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t              ident;

    ngx_event_t            event;
    ngx_uint_t             passing;     /* unsigned  passing:1;  handlers are
                                           being called */
};


static ngx_segments_timers_t *ngx_segments_timers(ngx_msec_t length);
static ngx_segments_timers_t *ngx_segments_timers_unused(void);
static ngx_queue_t *ngx_segments_timer_place(ngx_segments_timers_t *timers,
    ngx_msec_t due);
static void ngx_segments_timers_arm(ngx_segments_timers_t *timers);
static void ngx_segments_timers_handler(ngx_event_t *ev);


static ngx_segments_timers_t  ngx_segments_lengths[NGX_SEGMENTS_TIMER_LENGTHS];
static ngx_uint_t             ngx_segments_nlengths;


/* whether "one" is later than "other", also where ngx_msec_t has wrapped */
#define ngx_segments_timer_later(one, other)                                  \
    ((ngx_msec_int_t) ((one) - (other)) > 0)

#define ngx_segments_timer_of(q)                                              \
    (ngx_queue_data(q, ngx_segments_timer_t, queue))


void
ngx_segments_timer_add(ngx_segments_timer_t *timer, ngx_msec_t length,
    ngx_msec_t delay)
{
    ngx_queue_t            *place;
    ngx_segments_timers_t  *timers;

    if (timer->timers) {
        ngx_segments_timer_del(timer);
    }

    timers = ngx_segments_timers(length);

    timer->timers = timers;
    timer->due = ngx_current_msec + delay;

    place = ngx_segments_timer_place(timers, timer->due);
    ngx_queue_insert_after(place, &timer->queue);

    timers->event.cancelable = 0;

    if (place == ngx_queue_sentinel(&timers->queue)) {
        ngx_segments_timers_arm(timers);
    }
}


void
ngx_segments_timer_del(ngx_segments_timer_t *timer)
{
    ngx_segments_timers_t  *timers;

    timers = timer->timers;

    if (timers == NULL) {
        return;
    }

    timer->timers = NULL;

    ngx_queue_remove(&timer->queue);

    /* what nginx has passes in vain then, and no worker waits for it */

    timers->event.cancelable = ngx_queue_empty(&timers->queue);
}


static ngx_segments_timers_t *
ngx_segments_timers(ngx_msec_t length)
{
    ngx_uint_t              i;
    ngx_segments_timers_t  *timers;

    for (i = 0; i < ngx_segments_nlengths; i++) {
        if (ngx_segments_lengths[i].length == length) {
            return &ngx_segments_lengths[i];
        }
    }

    timers = ngx_segments_timers_unused();

    if (timers == NULL) {
        return &ngx_segments_lengths[NGX_SEGMENTS_TIMER_LENGTHS - 1];
    }

    timers->length = length;

    return timers;
}


/* a length may be what was left of some time, and never come again: its queue
   is taken for another */

static ngx_segments_timers_t *
ngx_segments_timers_unused(void)
{
    ngx_uint_t              i;
    ngx_segments_timers_t  *timers;

    if (ngx_segments_nlengths < NGX_SEGMENTS_TIMER_LENGTHS) {
        timers = &ngx_segments_lengths[ngx_segments_nlengths++];

        ngx_queue_init(&timers->queue);

        timers->ident = -1;
        timers->event.handler = ngx_segments_timers_handler;
        timers->event.data = timers;

        return timers;
    }

    for (i = 0; i < NGX_SEGMENTS_TIMER_LENGTHS; i++) {
        timers = &ngx_segments_lengths[i];

        if (ngx_queue_empty(&timers->queue)
            && !timers->event.timer_set
            && !timers->passing)
        {
            return timers;
        }
    }

    return NULL;
}


/*
 * Behind what is due before or at the same time: mostly the last.  Otherwise it
 * is looked for from the end that is nearer by time.
 */

static ngx_queue_t *
ngx_segments_timer_place(ngx_segments_timers_t *timers, ngx_msec_t due)
{
    ngx_msec_t    before, behind;
    ngx_queue_t  *q, *next;

    q = ngx_queue_last(&timers->queue);

    if (q == ngx_queue_sentinel(&timers->queue)
        || !ngx_segments_timer_later(ngx_segments_timer_of(q)->due, due))
    {
        return q;
    }

    next = ngx_queue_head(&timers->queue);

    before = due - ngx_segments_timer_of(next)->due;
    behind = ngx_segments_timer_of(q)->due - due;

    if (ngx_segments_timer_later(before, behind)) {

        do {
            q = ngx_queue_prev(q);
        } while (q != ngx_queue_sentinel(&timers->queue)
                 && ngx_segments_timer_later(ngx_segments_timer_of(q)->due,
                                             due));

        return q;
    }

    q = ngx_queue_sentinel(&timers->queue);

    for (next = ngx_queue_next(q);
         !ngx_segments_timer_later(ngx_segments_timer_of(next)->due, due);
         next = ngx_queue_next(q))
    {
        q = next;
    }

    return q;
}


/* for what is due first, unless nginx has something earlier anyway */

static void
ngx_segments_timers_arm(ngx_segments_timers_t *timers)
{
    ngx_event_t           *ev;
    ngx_segments_timer_t  *first;

    if (timers->passing) {
        return;
    }

    ev = &timers->event;

    first = ngx_segments_timer_of(ngx_queue_head(&timers->queue));

    if (ev->timer_set) {

        if (!ngx_segments_timer_later(ev->timer.key, first->due)) {
            return;
        }

        /* ngx_add_timer() alone might leave it as it is */

        ngx_del_timer(ev);
    }

    ev->log = ngx_cycle->log;

    ngx_add_timer(ev, ngx_segments_timer_later(first->due, ngx_current_msec)
                      ? first->due - ngx_current_msec : 0);
}


static void
ngx_segments_timers_handler(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_segments_timer_t   *timer;
    ngx_segments_timers_t  *timers;

    timers = ev->data;
    timers->passing = 1;

    while (!ngx_queue_empty(&timers->queue)) {

        q = ngx_queue_head(&timers->queue);
        timer = ngx_segments_timer_of(q);

        if (ngx_segments_timer_later(timer->due, ngx_current_msec)) {
            break;
        }

        ngx_segments_timer_del(timer);

        timer->handler(timer->data);
    }

    timers->passing = 0;

    if (!ngx_queue_empty(&timers->queue)) {
        ngx_segments_timers_arm(timers);
    }
}
