
/*
 * Memory for values that are given up together.
 */

#include "sg_arena.h"

#include <stdint.h>
#include <stdlib.h>


#define SG_ARENA_ALIGN      _Alignof(max_align_t)
#define SG_ARENA_MIN_BLOCK  (16 * 1024)

/*
 * Each block is four times the one before, for few calls of malloc() and so
 * that the newest outweighs the others.  What glibc keeps instead of giving it
 * back to the kernel is at most twice the largest block that it was given: with
 * blocks that only double, all of them are just that much, and whether each
 * request meets page faults is a matter of luck.
 */

#define SG_ARENA_GROWTH     4
#define SG_ARENA_MAX_BLOCK  (16 * 1024 * 1024)


/* a sanitizer sees what is used beyond an allocation, or after the arena */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SG_ARENA_POISON     1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(SG_ARENA_POISON)

#include <sanitizer/asan_interface.h>

#define SG_ARENA_GAP        SG_ARENA_ALIGN

#define sg_arena_hide(p, size)  ASAN_POISON_MEMORY_REGION(p, size)
#define sg_arena_show(p, size)  ASAN_UNPOISON_MEMORY_REGION(p, size)

#else

#define SG_ARENA_GAP        0

#define sg_arena_hide(p, size)
#define sg_arena_show(p, size)

#endif


struct sg_arena_block_s {
    _Alignas(max_align_t) sg_arena_block_t  *next;
    size_t                                   size;  /* of what follows */
};


static int sg_arena_grow(sg_arena_t *arena, size_t size);


void
sg_arena_init(sg_arena_t *arena, void *room, size_t size)
{
    arena->pos = room;
    arena->end = arena->pos + size;
    arena->room = room;
    arena->room_size = size;
    arena->block_size = SG_ARENA_MIN_BLOCK / SG_ARENA_GROWTH;
    arena->blocks = NULL;
    arena->failed = 0;

    sg_arena_hide(room, size);
}


void *
sg_arena_alloc(sg_arena_t *arena, size_t size)
{
    size_t          n;
    unsigned char  *p;

    if (arena->failed) {
        return NULL;
    }

    if (size > SIZE_MAX / 2) {
        arena->failed = 1;
        return NULL;
    }

    n = (size + SG_ARENA_ALIGN - 1) / SG_ARENA_ALIGN * SG_ARENA_ALIGN
        + SG_ARENA_GAP;

    if (n > (size_t) (arena->end - arena->pos)
        && sg_arena_grow(arena, n) != 0)
    {
        arena->failed = 1;
        return NULL;
    }

    p = arena->pos;
    arena->pos += n;

    sg_arena_show(p, size);

    return p;
}


static int
sg_arena_grow(sg_arena_t *arena, size_t size)
{
    sg_arena_block_t  *block;

    if (arena->block_size < SG_ARENA_MAX_BLOCK) {
        arena->block_size *= SG_ARENA_GROWTH;
    }

    if (size < arena->block_size - sizeof(sg_arena_block_t)) {
        size = arena->block_size - sizeof(sg_arena_block_t);
    }

    block = malloc(sizeof(sg_arena_block_t) + size);
    if (block == NULL) {
        return -1;
    }

    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;

    arena->pos = (unsigned char *) (block + 1);
    arena->end = arena->pos + size;

    sg_arena_hide(arena->pos, size);

    return 0;
}


void
sg_arena_free(sg_arena_t *arena)
{
    sg_arena_block_t  *block;

    while (arena->blocks) {
        block = arena->blocks;
        arena->blocks = block->next;

        sg_arena_show(block + 1, block->size);
        free(block);
    }

    sg_arena_show(arena->room, arena->room_size);

    arena->pos = NULL;
    arena->end = NULL;
}
