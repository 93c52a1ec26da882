
#include "test.h"

#include "sg_arena.h"

#include <sys/resource.h>


/*
 * What one arena gave back the next one has without asking the kernel.  This is
 * of glibc's malloc(), and built without sanitizers, which have their own.
 */

static void
given_back(void **state)
{
    size_t          i, n;
    sg_arena_t      arena;
    struct rusage   before, after;

    static _Alignas(max_align_t) unsigned char  room[256];

    (void) state;

    for (n = 0; n < 20; n++) {

        if (n == 10) {
            assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
        }

        sg_arena_init(&arena, room, sizeof(room));

        for (i = 0; i < 8 * 1024; i++) {
            memset(sg_arena_alloc(&arena, 1024), 1, 1024);
        }

        sg_arena_free(&arena);
    }

    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_minflt - before.ru_minflt < 100);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(given_back)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
