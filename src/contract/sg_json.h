
/*
 * Strict JSON (RFC 8259): what two parsers could read differently is refused.
 */

#ifndef SG_JSON_H
#define SG_JSON_H


#include <jansson.h>

#include "contract/sg_buf.h"


/*
 * Parses any JSON value nested in at most "max_depth" arrays and objects.
 * Besides broken syntax it refuses duplicate members, lone surrogates, U+0000,
 * invalid UTF-8 and numbers that would not be kept.  The value is the caller's,
 * to be released by json_decref().  When it is NULL, "message" says why and
 * where; an empty message means that memory failed.
 */
json_t *sg_json_parse(sg_str_t text, unsigned max_depth, sg_buf_t *message);

/*
 * Appends a JSON string, quotes included: the shortest escapes of ", \ and
 * control characters, U+FFFD for each byte that is not UTF-8, and everything
 * else as it is.
 */
void sg_json_string(sg_buf_t *out, sg_str_t str);


#endif /* SG_JSON_H */
