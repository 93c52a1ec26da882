
/*
 * A segment's canonical form on its way into a digest.
 */

#include "contract/sg_canonical.h"
#include "contract/sg_json.h"
#include "contract/sg_sha256.h"

#include <string.h>


#define SG_CANONICAL_SHORT  256         /* bytes of a string that goes into the
                                           room at once */

#define sg_canonical_literal(to, text)                                        \
    memcpy(sg_canonical_room(to, sizeof(text) - 1), text, sizeof(text) - 1)

/* "before" ends in the string's quotation mark */
#define sg_canonical_member(to, before, child)                                \
    sg_canonical_string(to, before, sizeof(before) - 1, child)


sg_inline void sg_canonical_string(sg_canonical_t *to, const char *before,
    size_t n, const sg_child_t *child);
static inline unsigned char *sg_canonical_copy(unsigned char *p, sg_str_t text);
static void sg_canonical_any(sg_canonical_t *to, const char *before, size_t n,
    const sg_child_t *child);
static void sg_canonical_add(sg_canonical_t *to, const void *data, size_t len);
static inline unsigned char *sg_canonical_room(sg_canonical_t *to, size_t len);
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
    sg_canonical_literal(to, "{\"conditions\":[");
}


void
sg_canonical_condition(sg_canonical_t *to, const sg_unit_t *condition)
{
    const sg_child_t  *negate;

    if (to->conditions++) {
        sg_canonical_literal(to, ",");
    }

    sg_canonical_member(to, "{\"comparator\":\"",
                        &condition->children[SG_COMPARATOR]);
    sg_canonical_member(to, ",\"metric\":\"",
                        &condition->children[SG_METRIC]);

    negate = &condition->children[SG_NEGATE];

    if (negate->kind == sg_true) {
        sg_canonical_literal(to, ",\"negate\":true");

    } else if (negate->kind == sg_false) {
        sg_canonical_literal(to, ",\"negate\":false");
    }

    sg_canonical_member(to, ",\"value\":\"", &condition->children[SG_VALUE]);
    sg_canonical_literal(to, "}");
}


int
sg_canonical_end(sg_canonical_t *to, const sg_unit_t *segment,
    unsigned char fingerprint[SG_FINGERPRINT_LEN])
{
    if (segment->children[SG_CONDITIONS].kind == sg_absent) {
        sg_canonical_literal(to, "{");

    } else {
        sg_canonical_literal(to, "],");
    }

    sg_canonical_member(to, "\"name\":\"", &segment->children[SG_NAME]);
    sg_canonical_literal(to, "}");
    sg_canonical_flush(to);

    return to->failed ? -1 : sg_fingerprint_end(fingerprint);
}


sg_inline void
sg_canonical_string(sg_canonical_t *to, const char *before, size_t n,
    const sg_child_t *child)
{
    unsigned char  *p;

    if (!child->plain || child->text.len > SG_CANONICAL_SHORT) {
        sg_canonical_any(to, before, n, child);
        return;
    }

    p = sg_canonical_room(to, n + child->text.len + 1);

    memcpy(p, before, n);
    p = sg_canonical_copy(p + n, child->text);
    *p = '"';
}


/* most are too short for a call of memcpy() to be worth it: the first bytes and
   the last, which may be the same; returns what is behind the copy */

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


static void
sg_canonical_any(sg_canonical_t *to, const char *before, size_t n,
    const sg_child_t *child)
{
    sg_buf_t       text;
    unsigned char  room[256];

    sg_canonical_add(to, before, n);

    if (child->plain) {
        sg_canonical_add(to, child->text.data, child->text.len);
        sg_canonical_literal(to, "\"");
        return;
    }

    sg_buf_init_room(&text, room, sizeof(room));
    sg_json_string(&text, child->text);

    /* its first quotation mark is there already */

    if (text.len) {
        sg_canonical_add(to, text.data + 1, text.len - 1);
    }

    to->failed |= text.failed;
    sg_buf_free(&text);
}


static void
sg_canonical_add(sg_canonical_t *to, const void *data, size_t len)
{
    if (len > SG_CANONICAL_ROOM) {
        sg_canonical_flush(to);
        sg_canonical_digest(to, data, len);
        return;
    }

    memcpy(sg_canonical_room(to, len), data, len);
}


/* for "len" bytes, SG_CANONICAL_ROOM at most, which count as written */

static inline unsigned char *
sg_canonical_room(sg_canonical_t *to, size_t len)
{
    unsigned char  *p;

    if (len > SG_CANONICAL_ROOM - to->len) {
        sg_canonical_flush(to);
    }

    p = to->room + to->len;
    to->len += len;

    return p;
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
