
/*
 * Which header fields pass.  Names are compared in any case, and with "_" as
 * "-": to many upstreams both are one name.
 */

#ifndef SG_HEADERS_H
#define SG_HEADERS_H


#include "contract/sg_buf.h"


/* 1 for a token (RFC 9110, 5.6.2), as a field's name is one */
int sg_header_is_token(sg_str_t text);

/* 1 when both are one name; either may be empty */
int sg_header_is(sg_str_t name, sg_str_t other);

/* what a request field is to the gateway */
typedef enum {
    sg_header_passes = 0,
    sg_header_dropped,                  /* never goes upstream as sent */
    sg_header_hop_by_hop,               /* nor does it (RFC 9110, 7.6.1) */
    sg_header_connection,               /* nor Connection, which nominates */

    /* those that are judged, and go upstream */
    sg_header_content_type,
    sg_header_content_encoding,
    sg_header_idempotency_key
} sg_header_e;

/*
 * Dropped are Authorization, Cookie, Accept-Encoding, Content-Length, and the
 * fields by which frameworks let a client replace the method or the path
 * (X-HTTP-Method-Override, X-Original-URL, ...); Proxy-* counts as hop-by-hop.
 */
sg_header_e sg_request_header(sg_str_t name);

/*
 * The name under which a request field goes upstream: those that are judged
 * may be spelled with "_", and go with "-"; others stay.  Static, or "name"
 * itself.
 */
sg_str_t sg_request_header_name(sg_str_t name);

/*
 * 1 for a response field that never reaches a client: Authorization,
 * Proxy-Authenticate, Proxy-Authorization, X-Accel-*, and the fields by which
 * the gateway itself tells how it treated a key
 */
int sg_response_header_dropped(sg_str_t name);

/*
 * 1 for a response field that is always stored: Content-Language, Location,
 * ETag, Last-Modified, Link, Cache-Control, and the Content-Encoding of an
 * upstream that was asked for none (Content-Type is stored too, but nginx
 * keeps it apart)
 */
int sg_response_header_stored(sg_str_t name);

/*
 * 1 when an operator may have a response field stored: a token (RFC 9110,
 * 5.6.2) that is not hop-by-hop, Set-Cookie, X-Accel-*, RateLimit*,
 * Content-Length, Content-Encoding, Date, Server, WWW-Authenticate,
 * Authorization, Idempotent-Replayed, Idempotency-Status or Retry-After
 */
int sg_response_header_storable(sg_str_t name);


#endif /* SG_HEADERS_H */
