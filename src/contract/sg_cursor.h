
/*
 * Where a reader is in a body, which lies in one piece, or in two: nginx has
 * what came with the header apart from the rest.
 */

#ifndef SG_CURSOR_H
#define SG_CURSOR_H


#include "contract/sg_buf.h"


/* of a body in two pieces: bytes of the second that are read beside the first,
   as members usually are, and at most; and of the first, at most; fuzzing has
   less of them */

#ifndef SG_CURSOR_OVERLAP
#define SG_CURSOR_USUAL    512
#define SG_CURSOR_OVERLAP  4096
#define SG_CURSOR_HEAD     8192
#endif

#define SG_CURSOR_ROOM     (SG_CURSOR_HEAD + SG_CURSOR_OVERLAP)


/* a body in one piece, or in two where "rest" is not empty */
typedef struct {
    sg_str_t              head;
    sg_str_t              rest;
} sg_body_text_t;


typedef struct {
    const unsigned char  *p;            /* where it begins, or a string that
                                           has escapes is read */
    const unsigned char  *end;          /* of what is in sight */

    const unsigned char  *seam;         /* where the second piece's copy begins,
                                           while that is not the whole and is
                                           not left behind; otherwise NULL */
    sg_str_t              rest;         /* the second piece */

    size_t                size;         /* of the body */
    unsigned char        *strings;      /* malloc()ed: strings that had escapes,
                                           of "size" bytes; NULL until then */
    unsigned char        *free;         /* what is unused of them */
} sg_cursor_t;


/*
 * At the beginning of "text".  "room" has SG_CURSOR_ROOM bytes and is used for
 * two pieces, "overlap" of it for the second, SG_CURSOR_OVERLAP at most; both
 * outlive the cursor.  -1 where the first piece is too long.
 */
int sg_cursor_init(sg_cursor_t *at, const sg_body_text_t *text,
    unsigned char *room, size_t overlap);

/* what the cursor owns */
void sg_cursor_free(sg_cursor_t *at);

/*
 * Between two tokens: goes on in the second piece where a reader at "p" has
 * come so far.  Returns where that is.
 */
#define sg_cursor_cross(at, p)                                                \
    ((at)->seam && (p) >= (at)->seam ? sg_cursor_cross_seam(at, p) : (p))

/* the same at the seam, or behind it */
const unsigned char *sg_cursor_cross_seam(sg_cursor_t *at,
    const unsigned char *p);


#endif /* SG_CURSOR_H */
