
/*
 * The names of records and the encoding of the stored headers, which are lines
 * of "Name: value\n", or a byte below 32 for one that nearly all answers have.
 */

#ifndef SG_RECORD_H
#define SG_RECORD_H


#include "contract/sg_buf.h"
#include "contract/sg_route.h"
#include "contract/sg_secret.h"


/*
 * Appends the name of a record:
 *     <prefix>{<environment>:<scope>:<key>}:<operation>
 * with scope and key percent-encoded outside [A-Za-z0-9._~-], so that no two
 * records share a name, the records of a scope begin alike, and the braces are
 * a Redis Cluster hash tag derived from scope and key.
 */
void sg_record_name(sg_buf_t *out, sg_str_t prefix,
    sg_environment_e environment, sg_str_t scope, sg_operation_e operation,
    sg_str_t key);

/* appends the beginning of such a name: <prefix>{<environment>:<value> */
void sg_record_tag(sg_buf_t *out, sg_str_t prefix,
    sg_environment_e environment, sg_str_t value);

/* appends a part of such a name, percent-encoded */
void sg_record_encode(sg_buf_t *out, sg_str_t str);

/* 1 when the prefix leaves the hash tag alone: no "{" and no "}" */
int sg_record_prefix_ok(sg_str_t prefix);

/* appends one header, or nothing when it could not be read back */
void sg_record_header_add(sg_buf_t *out, sg_str_t name, sg_str_t value);

/*
 * Takes the next header off "rest"; name and value may be constants.  1 when
 * there was one, 0 at the end, -1 when "rest" is malformed: a byte that stands
 * for none, a name that is not a token (RFC 9110, 5.6.2), a control character
 * in a value, no final line feed.
 */
int sg_record_header_next(sg_str_t *rest, sg_str_t *name, sg_str_t *value);


#endif /* SG_RECORD_H */
