
/*
 * What the values of header fields say.
 */

#ifndef SG_HEADER_VALUE_H
#define SG_HEADER_VALUE_H


#include "contract/sg_buf.h"


/*
 * 1 for application/json without parameters or with charset=utf-8 as its only
 * parameter, in any case, the value bare or quoted (RFC 9110, 8.3.1)
 */
int sg_media_type_is_json(sg_str_t value);

/* 1 for an empty Content-Encoding or "identity" in any case */
int sg_content_coding_is_identity(sg_str_t value);

/* 1 for a Connection that nominates no field: keep-alive or close, alone */
int sg_connection_is_plain(sg_str_t value);

/* 1 when the list "connection" (the value of Connection) nominates "name" */
int sg_connection_nominates(sg_str_t connection, sg_str_t name);


#endif /* SG_HEADER_VALUE_H */
