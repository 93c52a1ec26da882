
/*
 * Lines that would come with each request while something outside is broken:
 * the first one is written, the others are counted, and the count is written
 * from time to time, until there are no more.
 *
 * Two lines are the same if their text is, without the client and the request,
 * or the record, and whatever number is a word of it, begins it, or follows a
 * comma or a word of Redis' own, as in "MOVED 4711": it is a time, a size or a
 * slot, and not a status.  What may stand in a line for any request, as a
 * record's name, comes last, or each would be of a kind of its own, and leave
 * no room for others.
 */


#include "redis/transport/ngx_redis_tally.h"


#define NGX_REDIS_TALLY_INTERVAL  5000  /* milliseconds between counts */
#define NGX_REDIS_TALLY_LINES     32    /* kinds of lines at a time */
#define NGX_REDIS_TALLY_TEXT      384   /* bytes of a line that are compared
                                           and written again */


typedef struct {
    u_char                   text[NGX_REDIS_TALLY_TEXT];
    size_t                   len;       /* 0: the entry is free */
    ngx_uint_t               level;
    ngx_uint_t               more;      /* not written yet */
    ngx_uint_t               total;
} ngx_redis_tally_t;


static void ngx_redis_tally_writer(ngx_log_t *log, ngx_uint_t level,
    u_char *buf, size_t len);
static ngx_str_t ngx_redis_tally_text(u_char *buf, size_t len);
static ngx_uint_t ngx_redis_tally_same(ngx_str_t *one, ngx_str_t *two);
static ngx_uint_t ngx_redis_tally_varies(ngx_str_t *text, u_char *p);
static ngx_uint_t ngx_redis_tally_status(ngx_str_t *text, u_char *p);
static u_char *ngx_redis_tally_number(u_char *p, u_char *last);
static void ngx_redis_tally_handler(ngx_event_t *ev);
static void ngx_redis_tally_tell(ngx_redis_tally_t *line);


/* of this worker */
static ngx_redis_tally_t  ngx_redis_tallies[NGX_REDIS_TALLY_LINES];
static ngx_uint_t         ngx_redis_tally_lost;
static ngx_event_t        ngx_redis_tally_timer;
static ngx_connection_t   ngx_redis_tally_dumb;     /* for debug logging */


ngx_log_t *
ngx_redis_tally(ngx_log_t *log)
{
    return ngx_redis_tally_to(log, log);
}


ngx_log_t *
ngx_redis_tally_to(ngx_log_t *log, ngx_log_t *to)
{
    static ngx_log_t  copy;

    copy = *log;

    copy.wdata = to;
    copy.writer = ngx_redis_tally_writer;
    copy.next = NULL;                   /* what is behind wdata is written */

    return &copy;
}


static void
ngx_redis_tally_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len)
{
    if (!ngx_redis_tally_counted(level, buf, len, 0)) {
        ngx_redis_tally_write(log->wdata, level, buf, len);
    }
}


/* as ngx_log_error_core() does it */

void
ngx_redis_tally_write(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len)
{
    for ( /* void */ ; log; log = log->next) {

        if (log->log_level < level) {
            break;
        }

        if (log->writer) {
            log->writer(log, level, buf, len);
            continue;
        }

        (void) ngx_write_fd(log->file->fd, buf, len);
    }
}


ngx_uint_t
ngx_redis_tally_counted(ngx_uint_t level, u_char *buf, size_t len,
    ngx_uint_t news)
{
    ngx_str_t           text, other;
    ngx_uint_t          i;
    ngx_event_t        *timer;
    ngx_redis_tally_t  *line, *free;

    /* alerts are about ourselves, notices are changes already */

    if (level <= NGX_LOG_ALERT || level > NGX_LOG_WARN) {
        return 0;
    }

    text = ngx_redis_tally_text(buf, len);
    free = NULL;

    for (i = 0; i < NGX_REDIS_TALLY_LINES; i++) {
        line = &ngx_redis_tallies[i];

        other.data = line->text;
        other.len = line->len;

        if (line->len == 0) {
            free = line;

        } else if (line->level == level && ngx_redis_tally_same(&other, &text))
        {
            /* the newest is what the count is written with */

            ngx_memcpy(line->text, text.data, text.len);
            line->len = text.len;

            line->more += !news;
            line->total++;
            return !news;
        }
    }

    timer = &ngx_redis_tally_timer;

    if (!timer->timer_set) {
        ngx_redis_tally_dumb.fd = (ngx_socket_t) -1;

        timer->handler = ngx_redis_tally_handler;
        timer->data = &ngx_redis_tally_dumb;
        timer->log = ngx_cycle->log;
        timer->cancelable = 1;

        ngx_add_timer(timer, NGX_REDIS_TALLY_INTERVAL);
    }

    if (free == NULL) {
        ngx_redis_tally_lost += !news;
        return !news;
    }

    ngx_memcpy(free->text, text.data, text.len);
    free->len = text.len;
    free->level = level;
    free->more = 0;
    free->total = 1;

    return 0;
}


/* without time, level, process and connection in front of it, and without the
   record and the client behind it */

static ngx_str_t
ngx_redis_tally_text(u_char *buf, size_t len)
{
    u_char      *p, *last, *end;
    ngx_str_t    text;
    ngx_uint_t   i;

    static char  *ends[] = { ", record: ", ", client: " };

    last = buf + len;

    p = ngx_strlchr(buf, last, '#');
    p = p ? ngx_strlchr(p, last, ' ') : NULL;
    p = p ? p + 1 : buf;

    if (p < last && *p == '*') {
        end = ngx_strlchr(p, last, ' ');
        p = end ? end + 1 : p;
    }

    while (last > p && (last[-1] == LF || last[-1] == CR)) {
        last--;
    }

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        end = ngx_strnstr(p, ends[i], last - p);

        if (end) {
            last = end;
        }
    }

    text.data = p;
    text.len = ngx_min((size_t) (last - p), NGX_REDIS_TALLY_TEXT);

    return text;
}


static ngx_uint_t
ngx_redis_tally_same(ngx_str_t *one, ngx_str_t *two)
{
    u_char  *p, *q, *end, *stop, *after, *behind;

    p = one->data;
    end = p + one->len;

    q = two->data;
    stop = q + two->len;

    for ( /* void */ ; p < end && q < stop; p++, q++) {

        if (p == one->data || p[-1] == ' ') {

            after = ngx_redis_tally_number(p, end);
            behind = ngx_redis_tally_number(q, stop);

            if (ngx_redis_tally_varies(one, p)
                || (after < end && *after == ' '
                    && behind < stop && *behind == ' '
                    && !ngx_redis_tally_status(one, p)))
            {
                p = after;
                q = behind;
            }

            if (p == end || q == stop) {
                break;
            }
        }

        if (*p != *q) {
            return 0;
        }
    }

    /* one that was cut ends at another place where a number is longer */

    return (p == end && q == stop)
           || (p == end && one->len == NGX_REDIS_TALLY_TEXT)
           || (q == stop && two->len == NGX_REDIS_TALLY_TEXT);
}


/* whether a number that begins here is none of the text's */

static ngx_uint_t
ngx_redis_tally_varies(ngx_str_t *text, u_char *p)
{
    return p == text->data
           || (p - text->data > 1
               && (p[-2] == ',' || (p[-2] >= 'A' && p[-2] <= 'Z')));
}


/* another status is another thing to be done */

static ngx_uint_t
ngx_redis_tally_status(ngx_str_t *text, u_char *p)
{
    static ngx_str_t  before = ngx_string(" status ");

    return (size_t) (p - text->data) >= before.len
           && ngx_memcmp(p - before.len, before.data, before.len) == 0;
}


static u_char *
ngx_redis_tally_number(u_char *p, u_char *last)
{
    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}


static void
ngx_redis_tally_handler(ngx_event_t *ev)
{
    ngx_uint_t          i, used;
    ngx_redis_tally_t  *line;

    used = 0;

    for (i = 0; i < NGX_REDIS_TALLY_LINES; i++) {
        line = &ngx_redis_tallies[i];

        if (line->len == 0) {
            continue;
        }

        if (line->more) {
            ngx_redis_tally_tell(line);
            used = 1;
            continue;
        }

        if (line->total > 1) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "not any more for %d s, after %ui times: %*s",
                          NGX_REDIS_TALLY_INTERVAL / 1000, line->total,
                          line->len, line->text);
        }

        line->len = 0;
    }

    if (ngx_redis_tally_lost) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "%ui lines of other kinds are left out",
                      ngx_redis_tally_lost);
        ngx_redis_tally_lost = 0;
        used = 1;
    }

    if (used) {
        ngx_add_timer(ev, NGX_REDIS_TALLY_INTERVAL);
    }
}


static void
ngx_redis_tally_tell(ngx_redis_tally_t *line)
{
    ngx_log_error(line->level, ngx_cycle->log, 0, "%ui times more: %*s",
                  line->more, line->len, line->text);

    line->more = 0;
}


void
ngx_redis_tally_end(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_REDIS_TALLY_LINES; i++) {

        if (ngx_redis_tallies[i].more) {
            ngx_redis_tally_tell(&ngx_redis_tallies[i]);
        }

        ngx_redis_tallies[i].len = 0;
    }

    if (ngx_redis_tally_timer.timer_set) {
        ngx_del_timer(&ngx_redis_tally_timer);
    }
}
