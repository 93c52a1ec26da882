
/*
 * What stands in the names of records and limits, and for a body, where nobody
 * who reads Redis is to know it.
 */

#ifndef SG_NAMES_H
#define SG_NAMES_H


#include "contract/sg_buf.h"
#include "contract/sg_hmac.h"
#include "contract/sg_key_text.h"


#define SG_NAMES_LEN  32                /* of what stands in a name: digits */


/* what a key file makes: to be freed when done with, zeroed or not */
typedef struct {
    sg_hmac_key_t         scope;
    sg_hmac_key_t         key;
    sg_hmac_key_t         body;
    sg_hmac_key_t         limit;
} sg_names_t;


/* each returns 0, or -1 as sg_sha256() */

/* "secret" is what the file holds */
int sg_names(sg_names_t *names, const unsigned char secret[SG_KEY_LEN]);
void sg_names_free(sg_names_t *names);

/* of a scope, and of the value of a limit's key: the same does not look so */
int sg_names_scope(unsigned char out[SG_NAMES_LEN], const sg_names_t *names,
    sg_str_t scope);
int sg_names_limit(unsigned char out[SG_NAMES_LEN], const sg_names_t *names,
    sg_str_t value);

/* of an Idempotency-Key: of two scopes, equal ones do not look equal */
int sg_names_key(unsigned char out[SG_NAMES_LEN], const sg_names_t *names,
    sg_str_t scope, sg_str_t key);

/* of a body's fingerprint: of two records, equal ones do not look equal */
int sg_names_body(unsigned char out[SG_HMAC_LEN], const sg_names_t *names,
    sg_str_t record, sg_str_t fingerprint);


#endif /* SG_NAMES_H */
