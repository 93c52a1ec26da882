
/*
 * What the reader of plain bodies takes it judges as jansson's path does: the
 * verdict, the violations, the fingerprint.
 *
 * The first two bytes of the input say where the body is cut in two; each part
 * is in memory of its own size.
 */

#include "fuzz.h"

#include "plain.h"

#include "contract/sg_body.h"


/* libFuzzer's */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed);


static unsigned long  inputs, valid, invalid;


static void
print_counts(void)
{
    fprintf(stderr, "reader: %lu inputs, %lu taken and valid, "
            "%lu taken and invalid\n", inputs, valid, invalid);
}


static sg_str_t
exact(const uint8_t *data, size_t len)
{
    uint8_t  *copy;

    copy = malloc(len ? len : 1);
    MUST(copy != NULL);

    if (len) {
        memcpy(copy, data, len);
    }

    return fuzz_str(copy, len);
}


static void
check_violations(const sg_errors_t *one, const sg_errors_t *other)
{
    size_t  i;

    MUST(one->total == other->total);
    MUST(one->n == other->n);

    for (i = 0; i < one->n; i++) {
        MUST(sg_str_eq(sg_errors_field(one, i), sg_errors_field(other, i)));
        MUST(strcmp(one->violations[i].message, other->violations[i].message)
             == 0);
    }
}


/*
 * Bytes that change at random seldom become a body that the reader takes: a
 * quarter of the inputs are made anew as such a body, a quarter are what there
 * is with one byte changed that may mean something.
 */

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
    size_t  at;

    static const uint8_t  bytes[] = "\"\\{}[]:, \n0nue\xc3\xa9\xff";

    if (max_size < 3) {
        return LLVMFuzzerMutate(data, size, max_size);
    }

    switch (seed & 3) {

    case 0:
        size = 2 + plain_body(data + 2, max_size - 2, seed >> 2);
        at = (seed >> 3) * 2654435761u % (2 * size);
        data[0] = (uint8_t) (at >> 8);
        data[1] = (uint8_t) at;
        return size;

    case 1:
        if (size > 2) {
            at = 2 + (seed >> 2) % (size - 2);
            data[at] = bytes[(seed >> 7) % (sizeof(bytes) - 1)];
            return size;
        }

        /* fall through */

    default:
        return LLVMFuzzerMutate(data, size, max_size);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          cut;
    sg_reader_e     rc;
    sg_operation_e  op;
    sg_errors_t     read, parsed;
    sg_body_text_t  text;
    unsigned char   fingerprint[SG_FINGERPRINT_LEN];
    unsigned char   other[SG_FINGERPRINT_LEN];

    if (size < 2) {
        return 0;
    }

    if (inputs++ == 0) {
        atexit(print_counts);
    }

    cut = (size_t) data[0] << 8 | data[1];
    data += 2;
    size -= 2;

    if (cut > size) {
        cut = size;
    }

    text.head = exact(data, cut);
    text.rest = exact(data + cut, size - cut);

    sg_errors_init(&read);
    sg_errors_init(&parsed);

    rc = sg_reader_body(&text, &read, fingerprint);

    if (rc != sg_reader_left) {

        op = (inputs & 1) ? sg_op_create : sg_op_update;

        MUST(sg_body_check_tree(op, fuzz_str(data, size), 0, &parsed, other)
             == (rc == sg_reader_ok ? sg_body_ok : sg_body_invalid));

        MUST(read.message.len == 0);
        check_violations(&read, &parsed);

        if (rc == sg_reader_ok) {
            MUST(memcmp(fingerprint, other, sizeof(other)) == 0);
            valid++;

        } else {
            invalid++;
        }
    }

    sg_errors_free(&read);
    sg_errors_free(&parsed);

    free((void *) text.head.data);
    free((void *) text.rest.data);

    return 0;
}
