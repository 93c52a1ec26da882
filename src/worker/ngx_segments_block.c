
/*
 * Blocks of memory that are kept for the next.
 */


#include "worker/ngx_segments_block.h"


#define NGX_SEGMENTS_BLOCK_STEP   128   /* bytes between two sizes */
#define NGX_SEGMENTS_BLOCK_SIZES  16    /* kept: what is larger is not */

#if (NGX_DEBUG_PALLOC)
#define NGX_SEGMENTS_BLOCK_KEPT   0     /* so that tools see who uses what is
                                           freed, as with nginx' pools */
#else
#define NGX_SEGMENTS_BLOCK_KEPT   64    /* of each size: those of a busy turn
                                           of the event loop */
#endif


/* stands before a block */
typedef union ngx_segments_block_u  ngx_segments_block_t;

union ngx_segments_block_u {
    ngx_uint_t             steps;       /* its size; while it is used */
    ngx_segments_block_t  *next;        /* while it is kept */
    u_char                 align[16];
};


typedef struct {
    ngx_segments_block_t  *first;
    ngx_uint_t             n;
} ngx_segments_blocks_t;


static ngx_segments_blocks_t  ngx_segments_blocks[NGX_SEGMENTS_BLOCK_SIZES + 1];
static ngx_uint_t             ngx_segments_block_kept
    = NGX_SEGMENTS_BLOCK_KEPT;


void *
ngx_segments_block_alloc(size_t size, ngx_log_t *log)
{
    ngx_uint_t              steps;
    ngx_segments_block_t   *block;
    ngx_segments_blocks_t  *blocks;

    steps = (sizeof(ngx_segments_block_t) + size + NGX_SEGMENTS_BLOCK_STEP - 1)
            / NGX_SEGMENTS_BLOCK_STEP;

    if (steps > NGX_SEGMENTS_BLOCK_SIZES) {
        block = ngx_alloc(sizeof(ngx_segments_block_t) + size, log);

    } else {
        blocks = &ngx_segments_blocks[steps];
        block = blocks->first;

        if (block) {
            blocks->first = block->next;
            blocks->n--;

        } else {
            block = ngx_alloc(steps * NGX_SEGMENTS_BLOCK_STEP, log);
        }
    }

    if (block == NULL) {
        return NULL;
    }

    block->steps = steps;

    return &block[1];
}


void
ngx_segments_block_free(void *p)
{
    ngx_segments_block_t   *block;
    ngx_segments_blocks_t  *blocks;

    block = (ngx_segments_block_t *) p - 1;

    if (block->steps > NGX_SEGMENTS_BLOCK_SIZES) {
        ngx_free(block);
        return;
    }

    blocks = &ngx_segments_blocks[block->steps];

    if (blocks->n == ngx_segments_block_kept) {
        ngx_free(block);
        return;
    }

    block->next = blocks->first;
    blocks->first = block;
    blocks->n++;
}


void
ngx_segments_block_end(void)
{
    ngx_uint_t              i;
    ngx_segments_block_t   *block;
    ngx_segments_blocks_t  *blocks;

    for (i = 0; i <= NGX_SEGMENTS_BLOCK_SIZES; i++) {
        blocks = &ngx_segments_blocks[i];

        while (blocks->first) {
            block = blocks->first;
            blocks->first = block->next;

            ngx_free(block);
        }

        blocks->n = 0;
    }

    ngx_segments_block_kept = 0;
}
