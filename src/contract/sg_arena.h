
/*
 * Memory for values that are given up together.
 */

#ifndef SG_ARENA_H
#define SG_ARENA_H


#include <stddef.h>


typedef struct sg_arena_block_s  sg_arena_block_t;


typedef struct {
    unsigned char        *pos;          /* what is free of the newest block */
    unsigned char        *end;
    unsigned char        *room;         /* the caller's, used first */
    size_t                room_size;    /* bytes */
    size_t                block_size;   /* of the newest block */
    sg_arena_block_t     *blocks;       /* malloc()ed, owned by the arena */
    int                   failed;       /* an allocation failed */
} sg_arena_t;


/* "room", of "size" bytes and aligned for any type, has to outlive the arena */
void sg_arena_init(sg_arena_t *arena, void *room, size_t size);

/*
 * Memory of "size" bytes, aligned for any type and not initialised, that lives
 * as long as the arena; NULL when memory failed, and from then on.
 */
void *sg_arena_alloc(sg_arena_t *arena, size_t size);

/* frees whatever was allocated; the arena has to be initialised again */
void sg_arena_free(sg_arena_t *arena);


#endif /* SG_ARENA_H */
