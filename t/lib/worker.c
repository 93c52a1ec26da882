
/*
 * Timers and blocks of src/worker, in a program of their own: nginx' headers
 * are the real ones, its tree of timers and its malloc() stand below.
 *
 * Each check prints a line of TAP.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "worker/ngx_segments_block.h"
#include "worker/ngx_segments_timer.h"


#define TIMERS   200
#define LENGTHS  40                     /* some share a queue */
#define APART    24                     /* so many do not */
#define EVENTS   64
#define STEPS    200000


static void check(int ok, const char *name);
static void pass(void *data);
static void set(ngx_uint_t i, ngx_uint_t kind);
static void advance(ngx_msec_t msec);
static void look(void);
static void check_lengths(void);
static void check_timers(void);
static void shutting_down(void);
static void check_blocks(void);


volatile ngx_msec_t     ngx_current_msec;
volatile ngx_cycle_t   *ngx_cycle;
ngx_rbtree_t            ngx_event_timer_rbtree;

static ngx_event_t     *tree[EVENTS];
static ngx_uint_t       allocated, freed;

static struct {
    ngx_segments_timer_t  timer;
    ngx_uint_t            set;
    ngx_msec_t            due;
} mine[TIMERS];

static ngx_msec_t       length[LENGTHS] = {
    100, 250, 1000, 1700, 2000, 5000, 20000, 60000, 70, 330, 900, 15000
};

static ngx_uint_t       early, late, out_of_order, missed, left, unneeded;
static ngx_uint_t       passed, acting;
static ngx_msec_t       last[LENGTHS];


/* nginx' side: which events are set, and memory */

void
ngx_rbtree_insert(ngx_rbtree_t *t, ngx_rbtree_node_t *node)
{
    ngx_uint_t  i;

    for (i = 0; tree[i]; i++) { /* void */ }

    tree[i] = ngx_rbtree_data(node, ngx_event_t, timer);
}


void
ngx_rbtree_delete(ngx_rbtree_t *t, ngx_rbtree_node_t *node)
{
    ngx_uint_t  i;

    for (i = 0; tree[i] != ngx_rbtree_data(node, ngx_event_t, timer); i++) {
        /* void */
    }

    tree[i] = NULL;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    allocated++;
    return malloc(size);
}


static void
count_free(void *p)
{
    freed++;
    free(p);
}


int
main(void)
{
    static ngx_cycle_t  cycle;
    static ngx_log_t    log;

    cycle.log = &log;
    ngx_cycle = &cycle;

    check_lengths();
    check_timers();
    shutting_down();
    check_blocks();

    return 0;
}


static void
check(int ok, const char *name)
{
    static int  n;

    printf("%sok %d - %s\n", ok ? "" : "not ", ++n, name);
}


/* with what passes others are set and taken out */

static void
pass(void *data)
{
    ngx_uint_t  i, other;

    i = (ngx_uint_t) (uintptr_t) data;
    passed++;

    missed += !mine[i].set;
    early += ((ngx_msec_int_t) (mine[i].due - ngx_current_msec) > 0);
    out_of_order += ((ngx_msec_int_t) (mine[i].due - last[i % LENGTHS]) < 0);

    last[i % LENGTHS] = mine[i].due;
    mine[i].set = 0;

    if (!acting) {
        return;
    }

    other = (ngx_uint_t) random() % TIMERS;

    switch (random() % 4) {

    case 0:
        ngx_segments_timer_del(&mine[other].timer);
        mine[other].set = 0;
        break;

    case 1:
        set(other, random() % 3);
        break;

    case 2:
        set(i, 1 + random() % 2);
        break;

    default:
        break;
    }
}


/* as long as its kind's mostly are, shorter, or now */

static void
set(ngx_uint_t i, ngx_uint_t kind)
{
    ngx_msec_t  delay;

    delay = length[i % LENGTHS];

    if (kind == 2) {
        delay = (ngx_msec_t) random() % delay;
    }

    if (kind == 0 && !acting) {
        delay = 0;
    }

    mine[i].timer.handler = pass;
    mine[i].timer.data = (void *) (uintptr_t) i;
    mine[i].set = 1;
    mine[i].due = ngx_current_msec + delay;

    ngx_segments_timer_add(&mine[i].timer, length[i % LENGTHS], delay);
}


/* as ngx_event_expire_timers() */

static void
advance(ngx_msec_t msec)
{
    ngx_uint_t    i;
    ngx_event_t  *ev, *first;

    ngx_current_msec += msec;

    for ( ;; ) {
        first = NULL;

        for (i = 0; i < EVENTS; i++) {
            ev = tree[i];

            if (ev && (ngx_msec_int_t) (ev->timer.key - ngx_current_msec) <= 0
                && (first == NULL
                    || (ngx_msec_int_t) (ev->timer.key - first->timer.key) < 0))
            {
                first = ev;
            }
        }

        if (first == NULL) {
            return;
        }

        ngx_rbtree_delete(&ngx_event_timer_rbtree, &first->timer);
        first->timer_set = 0;
        first->timedout = 1;
        first->handler(first);

        ngx_memzero(last, sizeof(last));

        for (i = 0; i < LENGTHS; i++) {
            last[i] = ngx_current_msec - 1000000;
        }
    }
}


/* nothing that is due is left, and nginx knows of what is set, and no more */

static void
look(void)
{
    ngx_uint_t  i, n, awaited;
    ngx_msec_t  next;

    n = 0;
    next = 0;

    for (i = 0; i < TIMERS; i++) {
        if (!mine[i].set) {
            continue;
        }

        late += ((ngx_msec_int_t) (mine[i].due - ngx_current_msec) <= 0
                 && mine[i].due != ngx_current_msec);

        if (n++ == 0 || (ngx_msec_int_t) (mine[i].due - next) < 0) {
            next = mine[i].due;
        }
    }

    awaited = 0;

    for (i = 0; i < EVENTS; i++) {
        if (tree[i] && !tree[i]->cancelable) {
            awaited |= 1
                 | (((ngx_msec_int_t) (tree[i]->timer.key - next) <= 0) << 1);
        }
    }

    left += (n != 0 && awaited != 3);
    unneeded += (n == 0 && awaited != 0);
}


/* claims that stand for minutes are not in the way of commands */

static void
check_lengths(void)
{
    ngx_uint_t  i, n;

    for (i = 0; i < LENGTHS; i++) {
        if (length[i] == 0) {
            length[i] = 400 + 37 * i;
        }
    }

    /* what is left of some time is of any length */

    for (i = 0; i < 1000; i++) {
        mine[0].timer.handler = pass;
        mine[0].set = 1;
        mine[0].due = ngx_current_msec + 30000 + i;
        ngx_segments_timer_add(&mine[0].timer, 30000 + i, 30000 + i);

        advance(30000 + i);
    }

    for (i = 0; i < APART; i++) {
        set(i, 1);
    }

    for (n = 0, i = 0; i < EVENTS; i++) {
        n += (tree[i] != NULL);
    }

    check(n == APART, "lengths have a queue each");

    for (i = 0; i < APART; i++) {
        ngx_segments_timer_del(&mine[i].timer);
        mine[i].set = 0;
    }

    advance(100000);
}


static void
check_timers(void)
{
    ngx_uint_t  i, n;

    srandom(20);

    ngx_current_msec = (ngx_msec_t) -300000;    /* wraps on the way */
    acting = 1;

    for (n = 0; n < STEPS; n++) {
        i = (ngx_uint_t) random() % TIMERS;

        if (random() % 3 == 0) {
            ngx_segments_timer_del(&mine[i].timer);
            mine[i].set = 0;

        } else {
            set(i, 1 + random() % 2);
        }

        if (random() % 4 == 0) {
            advance((ngx_msec_t) random() % 50);
        }

        look();
    }

    acting = 0;
    advance(100000);
    look();

    for (n = 0, i = 0; i < TIMERS; i++) {
        n += mine[i].set;
    }

    check(passed > STEPS / 20, "many timers passed");
    check(n == 0, "all did in the end");
    check(early == 0, "none before its time");
    check(late == 0, "none after it");
    check(missed == 0, "none that was taken out");
    check(left == 0, "nginx waits for the next");
    check(unneeded == 0, "and for nothing where there is none");

    /* one after the other, whichever was set first */

    for (n = 0; n < 1000; n++) {
        for (i = 0; i < 6; i++) {
            set(6 * LENGTHS / 6 + LENGTHS * (i % 3), random() % 3);
        }

        ngx_memzero(last, sizeof(last));
        last[0] = ngx_current_msec;
        out_of_order = 0;
        advance(200);
    }

    check(out_of_order == 0, "those of one length pass in order");
}


static void
shutting_down(void)
{
    ngx_uint_t  i, n;

    advance(100000);

    set(0, 1);

    for (n = 0, i = 0; i < EVENTS; i++) {
        n += (tree[i] && !tree[i]->cancelable);
    }

    check(n == 1, "a worker that shuts down waits for a timer");

    ngx_segments_timer_del(&mine[0].timer);
    ngx_segments_timer_del(&mine[0].timer);

    for (n = 0, i = 0; i < EVENTS; i++) {
        n += (tree[i] && !tree[i]->cancelable);
    }

    check(n == 0, "and for none that was taken out");
}


static void
check_blocks(void)
{
    u_char      *p[100];
    ngx_uint_t   i, n, bad;

    static const size_t  size[] = { 1, 100, 112, 113, 1000, 2032, 2033, 9000 };

    bad = 0;

    for (n = 0; n < sizeof(size) / sizeof(size[0]); n++) {

        for (i = 0; i < 100; i++) {
            p[i] = ngx_segments_block_alloc(size[n], NULL);
            bad += ((uintptr_t) p[i] % 16 != 0);
            ngx_memset(p[i], (int) i, size[n]);
        }

        for (i = 0; i < 100; i++) {
            bad += (p[i][0] != i || p[i][size[n] - 1] != i);
            ngx_segments_block_free(p[i]);
        }
    }

    check(bad == 0, "blocks are aligned, and apart");

    n = allocated;

    for (i = 0; i < 64; i++) {
        p[i] = ngx_segments_block_alloc(1000 - i % 2, NULL);
    }

    check(allocated == n, "so many are there for the next");

    p[64] = ngx_segments_block_alloc(1000, NULL);

    check(allocated == n + 1, "and no more are kept");

    for (i = 0; i < 65; i++) {
        ngx_segments_block_free(p[i]);
    }

    n = allocated;

    for (i = 0; i < 64; i++) {
        p[i] = ngx_segments_block_alloc(1000, NULL);
    }

    check(allocated == n, "so many are there again");

    for (i = 0; i < 64; i++) {
        ngx_segments_block_free(p[i]);
    }

    n = freed;
    p[0] = ngx_segments_block_alloc(2033, NULL);
    ngx_segments_block_free(p[0]);

    check(freed == n + 1, "nor one that is large");

    ngx_segments_block_end();

    check(freed == allocated, "none is left at the end");

    n = freed;
    p[0] = ngx_segments_block_alloc(1000, NULL);
    ngx_segments_block_free(p[0]);

    check(freed == n + 1, "and none is kept behind it");
}


#define free  count_free

#include "worker/ngx_segments_block.c"
#include "worker/ngx_segments_timer.c"
