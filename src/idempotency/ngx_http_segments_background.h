
/*
 * Claims that go on without a request.
 */

#ifndef _NGX_HTTP_SEGMENTS_BACKGROUND_H_INCLUDED_
#define _NGX_HTTP_SEGMENTS_BACKGROUND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * One more claim, with so many bytes of an answer, until it leaves with the
 * same number.  NGX_DECLINED after a log line: there are too many, or they hold
 * too much.
 */
ngx_int_t ngx_http_segments_background_enter(size_t held);
void ngx_http_segments_background_leave(size_t held);


#endif /* _NGX_HTTP_SEGMENTS_BACKGROUND_H_INCLUDED_ */
