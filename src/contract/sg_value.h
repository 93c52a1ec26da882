
/*
 * The value of a record: one Redis string.  docs/record.md has it byte by byte.
 *
 * Its head is of fixed places, at which scripts compare.  Behind it are the
 * parts whose lengths the head gives, and behind these are items, each a type,
 * a length and so many bytes: an item of an unknown type is skipped.
 */

#ifndef SG_VALUE_H
#define SG_VALUE_H


#include "contract/sg_buf.h"


#define SG_VALUE_VERSION      '1'
#define SG_VALUE_STATE_AT     1
#define SG_VALUE_CHECK_AT     4
#define SG_VALUE_CHECK        8         /* bytes of the name's SHA-256 */
#define SG_VALUE_FINGERPRINT  32        /* bytes */
#define SG_VALUE_TOKEN        16        /* bytes */
#define SG_VALUE_HEAD         72        /* bytes of the longest head: a
                                           claim's */
#define SG_VALUE_TIME_MAX     281474976710655ULL    /* milliseconds, of 48
                                                       bits */
#define SG_VALUE_ITEM         3         /* bytes of an item's own head */
#define SG_VALUE_ITEM_MAX     65535     /* bytes of an item, without that */


typedef enum {
    sg_value_claimed = 'c',
    sg_value_unknown = 'u',
    sg_value_answered = 'a',
    sg_value_tombstone = 't'
} sg_value_state_e;


/* what a claim is given back to */
typedef enum {
    sg_value_from_absent = 'a',
    sg_value_from_unknown = 'u'
} sg_value_from_e;


typedef enum {
    sg_item_channel = 1,                /* who is told of the claim's end */
    sg_item_seal                        /* what headers and body are sealed
                                           with: SG_SEAL bytes (sg_seal.h) */
} sg_item_e;


/* what its state does not need is zero */
typedef struct {
    sg_value_state_e      state;
    sg_value_from_e       from;         /* claimed */
    sg_str_t              check;        /* SG_VALUE_CHECK bytes */
    sg_str_t              fingerprint;  /* SG_VALUE_FINGERPRINT bytes */
    sg_str_t              token;        /* SG_VALUE_TOKEN bytes; any state but
                                           unknown */
    unsigned long long    ttl;          /* claimed: milliseconds */
    unsigned long long    lease;
    unsigned              status;       /* answered, tombstone: 200 to 599 */
    sg_str_t              headers;      /* answered */
    sg_str_t              body;
    int                   sealed;       /* answered: both of them are */

    /* of a value that was taken apart */
    sg_str_t              head;         /* all in front of the headers */
    sg_str_t              seal;         /* where it is sealed: SG_SEAL bytes */
    sg_str_t              items;        /* as they stand */
} sg_value_t;


/* out: SG_VALUE_CHECK bytes; 0, or -1 as sg_sha256() */
int sg_value_check(unsigned char *out, sg_str_t name);

/*
 * Writes all of a value but headers, body and items, which follow in this
 * order: at most SG_VALUE_HEAD bytes.  Returns how many.
 */
size_t sg_value_head(unsigned char *out, const sg_value_t *value);

/*
 * Takes a value apart, which "value" then points into.  NULL, or the name of
 * what cannot be used, in letters: version, state, flags, from, times, status,
 * length, items.
 */
const char *sg_value_decode(sg_value_t *value, sg_str_t text);

/* whether it says that it is an answer or a tombstone, be the rest of it as it
   may */
int sg_value_is_end(sg_str_t text);

/* the head of an item, of which the bytes follow: SG_VALUE_ITEM bytes */
void sg_value_item_head(unsigned char *out, unsigned type, size_t len);

/*
 * Takes the next item off "items".  1 when there was one, 0 at the end, -1 when
 * it is cut.
 */
int sg_value_item_next(sg_str_t *items, unsigned *type, sg_str_t *bytes);


#endif /* SG_VALUE_H */
