
/*
 * Stored answers, sealed: AES-256-GCM.
 *
 * Each answer has a key of its own, which is made of the file's and of a salt
 * that was drawn for it; so the nonce can be the same for all.  What stays in
 * the clear, and the record's name, cannot be altered unnoticed.
 */

#ifndef SG_SEAL_H
#define SG_SEAL_H


#include "contract/sg_buf.h"
#include "contract/sg_hmac.h"
#include "contract/sg_key_text.h"


#define SG_SEAL_ID    8                 /* bytes */
#define SG_SEAL_SALT  16
#define SG_SEAL_TAG   16
#define SG_SEAL       (SG_SEAL_ID + SG_SEAL_SALT + SG_SEAL_TAG)


/* what a key file makes: to be freed when done with, zeroed or not */
typedef struct {
    unsigned char         id[SG_SEAL_ID];       /* which key it is: no secret */
    sg_hmac_key_t         hmac;
} sg_sealing_key_t;


/* an answer; headers and body are sealed, or to be */
typedef struct {
    sg_str_t              name;         /* of its record */
    sg_str_t              head;         /* all in front of the headers */
    sg_str_t              headers;
    sg_str_t              body;
} sg_sealed_t;


/* "secret" is what the file holds; 0, or -1 as sg_sha256() */
int sg_sealing_key(sg_sealing_key_t *key,
    const unsigned char secret[SG_KEY_LEN]);
void sg_sealing_key_free(sg_sealing_key_t *key);

/*
 * Writes the sealed headers, and the sealed body behind them, each as long as
 * it was, and the seal: the key's id, a new salt, and the tag.  0, or -1 when
 * OpenSSL has no such cipher, no random bytes or no memory, or the answer has
 * more than 2^31 - 1 bytes.
 */
int sg_seal(unsigned char *out, unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer);

/* the same with the salt that stands at its place in the seal */
int sg_seal_salted(unsigned char *out, unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer);

/* 1 when it was sealed with this key, as far as the seal says */
int sg_seal_is_of(const unsigned char seal[SG_SEAL_ID],
    const sg_sealing_key_t *key);

/*
 * Writes headers and body, one behind the other.  0, or -1 when anything was
 * altered, or as sg_seal(); then there is nothing of them in "out".
 */
int sg_open(unsigned char *out, const unsigned char seal[SG_SEAL],
    const sg_sealing_key_t *key, const sg_sealed_t *answer);

/* frees what is kept between two calls; legal at any time */
void sg_seal_free(void);


#endif /* SG_SEAL_H */
