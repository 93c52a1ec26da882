
/*
 * Which header fields pass, and how Content-Type is read.  Names are compared
 * in any case, and with "_" as "-": to many upstreams both are one name.
 */

#ifndef SG_HEADERS_H
#define SG_HEADERS_H


#include "contract/sg_buf.h"


/* 1 for a token (RFC 9110, 5.6.2), as a field's name is one */
int sg_header_is_token(sg_str_t text);

/* 1 when both are one name; either may be empty */
int sg_header_is(sg_str_t name, sg_str_t other);

/*
 * The name under which a request field goes upstream: that of Content-Type,
 * Content-Encoding and Idempotency-Key, which were judged in whatever
 * spelling, is written with "-"; others stay.  Static, or "name" itself.
 */
sg_str_t sg_request_header_name(sg_str_t name);

/*
 * 1 for application/json without parameters or with charset=utf-8 as its only
 * parameter, in any case, the value bare or quoted (RFC 9110, 8.3.1)
 */
int sg_media_type_is_json(sg_str_t value);

/* 1 for an empty Content-Encoding or "identity" in any case */
int sg_content_coding_is_identity(sg_str_t value);

/*
 * 1 for a request field that never goes upstream as the client sent it:
 * Authorization, Cookie, Proxy-*, hop-by-hop fields (RFC 9110, 7.6.1),
 * Accept-Encoding, Content-Length, and the fields by which frameworks let a
 * client replace the method or the path (X-HTTP-Method-Override,
 * X-Original-URL, ...)
 */
int sg_request_header_dropped(sg_str_t name);

/* 1 when the list "connection" (the value of Connection) nominates "name" */
int sg_connection_nominates(sg_str_t connection, sg_str_t name);

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
