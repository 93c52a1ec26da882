
/*
 * The canonical form of a JSON value and its SHA-256.
 */

#include "contract/sg_fingerprint.h"
#include "contract/sg_json.h"
#include "contract/sg_sha256.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define SG_FEW_MEMBERS  8               /* sorted without an allocation */


typedef struct {
    sg_str_t              name;         /* within the object */
    const json_t         *value;
} sg_entry_t;


static void sg_canonical_object(sg_buf_t *out, const json_t *object);
static void sg_canonical_array(sg_buf_t *out, const json_t *array);
static void sg_canonical_real(sg_buf_t *out, double real);
static void sg_canonical_integer(sg_buf_t *out, json_int_t integer);
static void sg_entries_fill(sg_entry_t *entries, const json_t *object);
static int sg_entries_compare(const void *one, const void *two);


int
sg_fingerprint(unsigned char out[SG_FINGERPRINT_LEN], const json_t *value)
{
    int       rc;
    sg_buf_t  text;

    sg_buf_init(&text);
    sg_canonical(&text, value);

    rc = -1;

    if (!text.failed
        && sg_sha256_begin() == 0
        && sg_sha256_add(text.data, text.len) == 0)
    {
        rc = sg_fingerprint_end(out);
    }

    sg_buf_free(&text);

    return rc;
}


int
sg_fingerprint_end(unsigned char out[SG_FINGERPRINT_LEN])
{
    return sg_sha256_end(out);
}


int
sg_fingerprint_query(unsigned char fingerprint[SG_FINGERPRINT_LEN],
    sg_str_t query)
{
    if (sg_sha256_begin() != 0
        || sg_sha256_add(fingerprint, SG_FINGERPRINT_LEN) != 0
        || sg_sha256_add(query.data, query.len) != 0)
    {
        return -1;
    }

    return sg_fingerprint_end(fingerprint);
}


void
sg_canonical(sg_buf_t *out, const json_t *value)
{
    sg_str_t  str;

    switch (json_typeof(value)) {

    case JSON_OBJECT:
        sg_canonical_object(out, value);
        break;

    case JSON_ARRAY:
        sg_canonical_array(out, value);
        break;

    case JSON_STRING:
        str.data = (const unsigned char *) json_string_value(value);
        str.len = json_string_length(value);
        sg_json_string(out, str);
        break;

    case JSON_INTEGER:
        sg_canonical_integer(out, json_integer_value(value));
        break;

    case JSON_REAL:
        sg_canonical_real(out, json_real_value(value));
        break;

    case JSON_TRUE:
        sg_buf_add_cstr(out, "true");
        break;

    case JSON_FALSE:
        sg_buf_add_cstr(out, "false");
        break;

    case JSON_NULL:
        sg_buf_add_cstr(out, "null");
        break;
    }
}


static void
sg_canonical_object(sg_buf_t *out, const json_t *object)
{
    size_t       i, n;
    sg_entry_t  *entries, few[SG_FEW_MEMBERS];

    n = json_object_size(object);
    entries = few;

    if (n > SG_FEW_MEMBERS) {
        entries = calloc(n, sizeof(sg_entry_t));
        if (entries == NULL) {
            out->failed = 1;
            return;
        }
    }

    sg_entries_fill(entries, object);
    qsort(entries, n, sizeof(sg_entry_t), sg_entries_compare);

    sg_buf_add_char(out, '{');

    for (i = 0; i < n; i++) {
        if (i) {
            sg_buf_add_char(out, ',');
        }

        sg_json_string(out, entries[i].name);
        sg_buf_add_char(out, ':');
        sg_canonical(out, entries[i].value);
    }

    sg_buf_add_char(out, '}');

    if (entries != few) {
        free(entries);
    }
}


static void
sg_entries_fill(sg_entry_t *entries, const json_t *object)
{
    void    *iter;
    json_t  *members;

    /* jansson's iterators want no const, though they change nothing */

    members = (json_t *) object;

    for (iter = json_object_iter(members);
         iter;
         iter = json_object_iter_next(members, iter))
    {
        entries->name.data =
                           (const unsigned char *) json_object_iter_key(iter);
        entries->name.len = json_object_iter_key_len(iter);
        entries->value = json_object_iter_value(iter);
        entries++;
    }
}


static int
sg_entries_compare(const void *one, const void *two)
{
    int                rc;
    const sg_entry_t  *a, *b;

    a = one;
    b = two;

    rc = memcmp(a->name.data, b->name.data,
                a->name.len < b->name.len ? a->name.len : b->name.len);

    if (rc == 0) {
        rc = (a->name.len > b->name.len) - (a->name.len < b->name.len);
    }

    return rc;
}


static void
sg_canonical_array(sg_buf_t *out, const json_t *array)
{
    size_t  i, n;

    n = json_array_size(array);

    sg_buf_add_char(out, '[');

    for (i = 0; i < n; i++) {
        if (i) {
            sg_buf_add_char(out, ',');
        }

        sg_canonical(out, json_array_get(array, i));
    }

    sg_buf_add_char(out, ']');
}


static void
sg_canonical_integer(sg_buf_t *out, json_int_t integer)
{
    unsigned long long  n;

    n = (unsigned long long) integer;

    if (integer < 0) {
        sg_buf_add_char(out, '-');
        n = 0 - n;
    }

    sg_buf_add_uint(out, n);
}


/*
 * Up to 15 digits survive the way to a normal double and back, and %g drops
 * trailing zeros: the shortest text is %.15g, else %.16g, else %.17g.  A
 * subnormal holds fewer digits, so the shortest has to be looked for.
 */

static void
sg_canonical_real(sg_buf_t *out, double real)
{
    int   digits;
    char  text[48], *comma;

    digits = fabs(real) < DBL_MIN ? 1 : DBL_DIG;

    do {
        snprintf(text, sizeof(text), "%.*g", digits, real);
    } while (digits++ < DBL_DECIMAL_DIG && strtod(text, NULL) != real);

    comma = strchr(text, ',');          /* of the locale */
    if (comma) {
        *comma = '.';
    }

    sg_buf_add_cstr(out, text);

    if (strpbrk(text, ".e") == NULL) {
        sg_buf_add_cstr(out, ".0");
    }
}
