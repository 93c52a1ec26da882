
/*
 * Timers that are set for each request and hardly ever pass.
 *
 * In nginx each of them would be put into its tree, and taken out again.  Here
 * those of one length, which pass in the order in which they were set, stand in
 * a queue, and nginx has one timer for all of them; that one stays when what it
 * was set for is gone, and looks then what is next.
 */

#ifndef _NGX_SEGMENTS_TIMER_H_INCLUDED_
#define _NGX_SEGMENTS_TIMER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_segments_timer_s  ngx_segments_timer_t;
typedef struct ngx_segments_timers_s  ngx_segments_timers_t;


/* the timer is not set any more, and may be set again or freed */
typedef void (*ngx_segments_timer_pt)(void *data);


struct ngx_segments_timer_s {
    ngx_queue_t              queue;     /* among others of its length */
    ngx_segments_timers_t   *timers;    /* these; NULL: it is not set */
    ngx_msec_t               due;       /* by ngx_current_msec */
    ngx_segments_timer_pt    handler;
    void                    *data;      /* the handler's */
};


/*
 * Sets a timer that passes "delay" milliseconds from the event loop's time on;
 * one that is set already is set anew.  "length" is the delay that timers of
 * its kind mostly have: one that is shorter may stand among them.  As with
 * nginx' own, the handler is never called from here, and a worker that shuts
 * down waits for it.
 */
void ngx_segments_timer_add(ngx_segments_timer_t *timer, ngx_msec_t length,
    ngx_msec_t delay);

/* one that is not set stays so */
void ngx_segments_timer_del(ngx_segments_timer_t *timer);


#endif /* _NGX_SEGMENTS_TIMER_H_INCLUDED_ */
