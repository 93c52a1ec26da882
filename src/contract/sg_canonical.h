
/*
 * A segment's canonical form (see sg_fingerprint.h) on its way into a digest,
 * piece by piece: the whole of it is nowhere.
 */

#ifndef SG_CANONICAL_H
#define SG_CANONICAL_H


#include "contract/sg_fingerprint.h"
#include "contract/sg_unit.h"


#define SG_CANONICAL_ROOM  1024         /* bytes digested at a time */


typedef struct {
    size_t                len;          /* bytes that wait in "room" */
    size_t                conditions;   /* written so far */
    int                   begun;        /* the digest */
    int                   failed;       /* the digest or memory failed */
    unsigned char         room[SG_CANONICAL_ROOM];
} sg_canonical_t;


/*
 * A segment with conditions is begun by sg_canonical_conditions(), before the
 * first of them; each of them follows; sg_canonical_end() knows the rest.  Only
 * one segment is written at a time in a process, and none while another text is
 * digested.  A unit has to conform to the schema.
 */
void sg_canonical_begin(sg_canonical_t *to);
void sg_canonical_conditions(sg_canonical_t *to);
void sg_canonical_condition(sg_canonical_t *to, const sg_unit_t *condition);

/* 0, or -1 when the digest or memory failed */
int sg_canonical_end(sg_canonical_t *to, const sg_unit_t *segment,
    unsigned char fingerprint[SG_FINGERPRINT_LEN]);


#endif /* SG_CANONICAL_H */
