
/*
 * Lines that come again and again are counted.
 */

#ifndef _NGX_REDIS_TALLY_H_INCLUDED_
#define _NGX_REDIS_TALLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * For lines that may come with each request while something outside is broken:
 * a log that writes the first of them to "log", and then counts to the cycle's
 * log how many more there are, every few seconds.  Valid until the next call.
 */
ngx_log_t *ngx_redis_tally(ngx_log_t *log);

/* as above, and what is written goes to another log than what is said of */
ngx_log_t *ngx_redis_tally_to(ngx_log_t *log, ngx_log_t *to);

/* counts a line, and says whether it needs not be written; "news" is, in any
   case */
ngx_uint_t ngx_redis_tally_counted(ngx_uint_t level, u_char *buf, size_t len,
    ngx_uint_t news);

/* writes it */
void ngx_redis_tally_write(ngx_log_t *log, ngx_uint_t level, u_char *buf,
    size_t len);

/* what was not written yet is; the worker ends */
void ngx_redis_tally_end(void);


#endif /* _NGX_REDIS_TALLY_H_INCLUDED_ */
