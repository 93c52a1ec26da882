
/*
 * A value that is taken apart is put together again to the same bytes, its
 * parts lie within it and one behind the other, and one that is refused gives
 * nothing away but the name of what cannot be used.
 */

#include "fuzz.h"

#include "contract/sg_value.h"


static void
check_word(const char *word)
{
    size_t  i;

    MUST(word[0] != '\0');

    for (i = 0; word[i]; i++) {
        MUST(word[i] >= 'a' && word[i] <= 'z');
    }
}


static void
check_items(sg_str_t items)
{
    int       rc;
    size_t    before;
    unsigned  type;
    sg_str_t  bytes;

    unsigned char  head[SG_VALUE_ITEM];

    for ( ;; ) {
        before = items.len;

        rc = sg_value_item_next(&items, &type, &bytes);
        MUST(rc != -1);

        if (rc == 0) {
            break;
        }

        MUST(bytes.data + bytes.len == items.data);
        MUST(before == items.len + SG_VALUE_ITEM + bytes.len);

        sg_value_item_head(head, type, bytes.len);
        MUST(memcmp(head, bytes.data - SG_VALUE_ITEM, SG_VALUE_ITEM) == 0);
    }

    MUST(before == 0);
}


static void
check_same(const sg_value_t *value, sg_str_t text)
{
    size_t         n;
    unsigned char  head[SG_VALUE_HEAD];

    n = sg_value_head(head, value);

    MUST(n <= sizeof(head));
    MUST(text.len == n + value->headers.len + value->body.len
                     + value->items.len);
    MUST(memcmp(head, text.data, n) == 0);

    MUST(value->head.data == text.data && value->head.len == n);
    MUST(!value->sealed
         || (value->state == sg_value_answered && value->seal.len == 40));

    if (value->state == sg_value_answered) {
        MUST(value->headers.data == text.data + n);
        MUST(value->body.data == value->headers.data + value->headers.len);
        MUST(value->status >= 200 && value->status <= 599);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_str_t     text;
    sg_value_t   value;
    const char  *bad;

    text = fuzz_str(data, size);

    bad = sg_value_decode(&value, text);

    if (bad) {
        check_word(bad);
        return 0;
    }

    check_same(&value, text);
    check_items(value.items);

    return 0;
}
