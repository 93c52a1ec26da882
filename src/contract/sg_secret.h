
/*
 * The project's Secret Key and the environment that it selects
 * (documentation: reference/v4/authentication).
 */

#ifndef SG_SECRET_H
#define SG_SECRET_H


#include "contract/sg_buf.h"


typedef enum {
    sg_env_live = 0,                    /* sk_... */
    sg_env_sandbox                      /* test_sk_... */
} sg_environment_e;


typedef enum {
    sg_secret_ok = 0,
    sg_secret_empty,
    sg_secret_prefix,                   /* neither sk_ nor test_sk_, or
                                           nothing behind it */
    sg_secret_syntax                    /* more than one line, or a byte that
                                           RFC 6750's b64token lacks */
} sg_secret_e;


/*
 * Reads a key file's content.  Surrounding white space is ignored.  "key"
 * points into "file".
 */
sg_secret_e sg_secret_parse(sg_str_t file, sg_str_t *key,
    sg_environment_e *environment);

/* "live" or "sandbox"; static */
const char *sg_environment_name(sg_environment_e environment);


#endif /* SG_SECRET_H */
