
#include "test.h"

#include "sg_arena.h"


static _Alignas(max_align_t) unsigned char  room[256];


static int
is_inside(const unsigned char *p, size_t size)
{
    return p >= room && p + size <= room + sizeof(room);
}


/* the caller's memory comes first, then blocks, and nothing overlaps */

static void
allocations(void **state)
{
    size_t          i, j, size, total, inside;
    sg_arena_t      arena;
    unsigned char  *p[2000];

    (void) state;

    total = 0;
    inside = 0;

    sg_arena_init(&arena, room, sizeof(room));

    for (i = 0; i < N(p); i++) {
        size = 1 + i % 97;
        total += size;

        p[i] = sg_arena_alloc(&arena, size);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t) p[i] % _Alignof(max_align_t), 0);

        memset(p[i], (int) (i % 251), size);
        inside += is_inside(p[i], size);
    }

    assert_true(total > 4 * 16 * 1024);
    assert_true(inside >= 5 && inside < 20);

    for (i = 0; i < N(p); i++) {
        for (j = 0; j < 1 + i % 97; j++) {
            assert_int_equal(p[i][j], i % 251);
        }
    }

    sg_arena_free(&arena);
}


static void
large_allocations(void **state)
{
    size_t          i;
    sg_arena_t      arena;
    unsigned char  *p[3];

    (void) state;

    sg_arena_init(&arena, room, sizeof(room));

    for (i = 0; i < N(p); i++) {
        p[i] = sg_arena_alloc(&arena, 5 * 1024 * 1024);
        assert_non_null(p[i]);
        memset(p[i], (int) i, 5 * 1024 * 1024);
    }

    for (i = 0; i < N(p); i++) {
        assert_int_equal(p[i][0], i);
        assert_int_equal(p[i][5 * 1024 * 1024 - 1], i);
    }

    sg_arena_free(&arena);
}


/* one failure is not forgotten, or a value could lack a part of it */

static void
failure_stays(void **state)
{
    sg_arena_t  arena;

    (void) state;

    sg_arena_init(&arena, room, sizeof(room));

    assert_non_null(sg_arena_alloc(&arena, 1));
    assert_null(sg_arena_alloc(&arena, SIZE_MAX));
    assert_int_equal(arena.failed, 1);
    assert_null(sg_arena_alloc(&arena, 1));

    sg_arena_free(&arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(allocations),
        cmocka_unit_test(large_allocations),
        cmocka_unit_test(failure_stays)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
