
/*
 * How long a record is kept, in RESP.
 */


#include "record/ngx_redis_ttl.h"


void
ngx_redis_ttl_init(ngx_redis_ttl_t *ttl, ngx_msec_t msec)
{
    u_char  *p, *px, digits[NGX_INT64_LEN];
    size_t   len;

    len = ngx_sprintf(digits, "%M", msec) - digits;

    p = ngx_sprintf(ttl->text, "$2" CRLF "NX" CRLF "$3" CRLF "GET" CRLF);
    px = p;
    p = ngx_sprintf(p, "$2" CRLF "PX" CRLF "$%uz" CRLF, len);

    ttl->msec = msec;
    ttl->digits.data = p;
    ttl->digits.len = len;

    p = ngx_cpymem(p, digits, len);
    *p++ = CR;
    *p++ = LF;

    ttl->claim.n = 4;
    ttl->claim.text.data = ttl->text;
    ttl->claim.text.len = p - ttl->text;

    ttl->px.n = 2;
    ttl->px.text.data = px;
    ttl->px.text.len = p - px;
}
