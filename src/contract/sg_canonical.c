
/*
 * A segment's canonical form on its way into a digest.
 */

#include "contract/sg_canonical.h"
#include "contract/sg_json.h"
#include "contract/sg_sha256.h"

#include <string.h>


#define SG_CANONICAL_SHORT  64          /* bytes of a string that is copied in
                                           line, at most */

/* of a condition whose strings are short, and of what else is written at once:
   so much room is had before it is begun, and again behind a long string */
#define SG_CANONICAL_PART   (3 * SG_CANONICAL_SHORT + 80)

/* these write at "p" and return what is behind it */

#define sg_canonical_word(p, word)                                            \
    ((unsigned char *) memcpy(p, word, sizeof(word) - 1) + sizeof(word) - 1)

/* "before" ends in the string's quotation mark */
#define sg_canonical_member(to, p, before, child)                             \
    sg_canonical_string(to, p, before, sizeof(before) - 1, child)


sg_inline unsigned char *sg_canonical_string(sg_canonical_t *to,
    unsigned char *p, const char *before, size_t n, const sg_child_t *child);
static inline unsigned char *sg_canonical_copy(unsigned char *p, sg_str_t text);
static unsigned char *sg_canonical_any(sg_canonical_t *to, unsigned char *p,
    const char *before, size_t n, const sg_child_t *child);
static void sg_canonical_add(sg_canonical_t *to, const void *data, size_t len);
static inline unsigned char *sg_canonical_part(sg_canonical_t *to);
static inline void sg_canonical_wrote(sg_canonical_t *to, unsigned char *p);
static void sg_canonical_flush(sg_canonical_t *to);
static void sg_canonical_digest(sg_canonical_t *to, const void *data,
    size_t len);


void
sg_canonical_begin(sg_canonical_t *to)
{
    to->len = 0;
    to->conditions = 0;
    to->begun = 0;
    to->failed = 0;
}


void
sg_canonical_conditions(sg_canonical_t *to)
{
    sg_canonical_wrote(to, sg_canonical_word(sg_canonical_part(to),
                                             "{\"conditions\":["));
}


void
sg_canonical_condition(sg_canonical_t *to, const sg_unit_t *condition)
{
    unsigned char     *p;
    const sg_child_t  *children;

    children = condition->children;

    p = sg_canonical_part(to);

    if (to->conditions++) {
        *p++ = ',';
    }

    p = sg_canonical_member(to, p, "{\"comparator\":\"",
                            &children[SG_COMPARATOR]);
    p = sg_canonical_member(to, p, ",\"metric\":\"", &children[SG_METRIC]);

    if (children[SG_NEGATE].kind == sg_true) {
        p = sg_canonical_word(p, ",\"negate\":true");

    } else if (children[SG_NEGATE].kind == sg_false) {
        p = sg_canonical_word(p, ",\"negate\":false");
    }

    p = sg_canonical_member(to, p, ",\"value\":\"", &children[SG_VALUE]);
    *p++ = '}';

    sg_canonical_wrote(to, p);
}


int
sg_canonical_end(sg_canonical_t *to, const sg_unit_t *segment,
    unsigned char fingerprint[SG_FINGERPRINT_LEN])
{
    unsigned char  *p;

    p = sg_canonical_part(to);

    if (segment->children[SG_CONDITIONS].kind == sg_absent) {
        p = sg_canonical_word(p, "{");

    } else {
        p = sg_canonical_word(p, "],");
    }

    p = sg_canonical_member(to, p, "\"name\":\"", &segment->children[SG_NAME]);
    *p++ = '}';

    sg_canonical_wrote(to, p);
    sg_canonical_flush(to);

    return to->failed ? -1 : sg_fingerprint_end(fingerprint);
}


sg_inline unsigned char *
sg_canonical_string(sg_canonical_t *to, unsigned char *p, const char *before,
    size_t n, const sg_child_t *child)
{
    if (!child->plain || child->text.len > SG_CANONICAL_SHORT) {
        return sg_canonical_any(to, p, before, n, child);
    }

    memcpy(p, before, n);
    p = sg_canonical_copy(p + n, child->text);
    *p++ = '"';

    return p;
}


/* most are too short for a call of memcpy() to be worth it: the first bytes and
   the last, which may be the same */

static inline unsigned char *
sg_canonical_copy(unsigned char *p, sg_str_t text)
{
    const unsigned char  *last;

    last = text.data + text.len;

    if (text.len > 16) {
        memcpy(p, text.data, text.len);

    } else if (text.len >= 8) {
        memcpy(p, text.data, 8);
        memcpy(p + text.len - 8, last - 8, 8);

    } else if (text.len >= 4) {
        memcpy(p, text.data, 4);
        memcpy(p + text.len - 4, last - 4, 4);

    } else if (text.len >= 2) {
        memcpy(p, text.data, 2);
        memcpy(p + text.len - 2, last - 2, 2);

    } else if (text.len) {
        *p = *text.data;
    }

    return p + text.len;
}


static unsigned char *
sg_canonical_any(sg_canonical_t *to, unsigned char *p, const char *before,
    size_t n, const sg_child_t *child)
{
    sg_buf_t       text;
    unsigned char  room[256];

    sg_canonical_wrote(to, p);
    sg_canonical_add(to, before, n);

    if (child->plain) {
        sg_canonical_add(to, child->text.data, child->text.len);
        sg_canonical_add(to, "\"", 1);
        return sg_canonical_part(to);
    }

    sg_buf_init_room(&text, room, sizeof(room));
    sg_json_string(&text, child->text);

    /* its first quotation mark is there already */

    if (text.len) {
        sg_canonical_add(to, text.data + 1, text.len - 1);
    }

    to->failed |= text.failed;
    sg_buf_free(&text);

    return sg_canonical_part(to);
}


static void
sg_canonical_add(sg_canonical_t *to, const void *data, size_t len)
{
    if (len > SG_CANONICAL_ROOM - to->len) {
        sg_canonical_flush(to);
    }

    if (len > SG_CANONICAL_ROOM) {
        sg_canonical_digest(to, data, len);
        return;
    }

    memcpy(to->room + to->len, data, len);
    to->len += len;
}


/* where the next part is written, with room for it */

static inline unsigned char *
sg_canonical_part(sg_canonical_t *to)
{
    if (SG_CANONICAL_ROOM - to->len < SG_CANONICAL_PART) {
        sg_canonical_flush(to);
    }

    return to->room + to->len;
}


/* up to "p" */

static inline void
sg_canonical_wrote(sg_canonical_t *to, unsigned char *p)
{
    to->len = (size_t) (p - to->room);
}


static void
sg_canonical_flush(sg_canonical_t *to)
{
    if (to->len) {
        sg_canonical_digest(to, to->room, to->len);
        to->len = 0;
    }
}


/* nothing is begun for a short segment whose violations come late */

static void
sg_canonical_digest(sg_canonical_t *to, const void *data, size_t len)
{
    if (!to->begun) {
        to->begun = 1;
        to->failed |= sg_sha256_begin();
    }

    to->failed |= sg_sha256_add(data, len);
}
