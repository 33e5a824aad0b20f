/* arena.h - memory of one request or one cycle, given back all at once.
 *
 * Bump allocation in blocks; large pieces get blocks of their own. Everything handed out is valid
 * until arena_reset or arena_finish. Never returns NULL (see mem.h). One thread at a time owns an
 * arena; ownership may be passed on with a message. */
#pragma once

#include <stddef.h>
#include "quota/base/str.h"

struct arena_block;
struct arena {
    struct arena_block *block; /* newest first */
    char *free;                /* in the newest block */
    size_t free_size;          /* bytes there; a multiple of 16 */
    size_t total;              /* bytes of all blocks */
};

#define ARENA_INIT                                                                                 \
    {                                                                                              \
        NULL, NULL, 0, 0                                                                           \
    }
void arena_init(struct arena *a);
void arena_reset(struct arena *a);  /* forget everything, keep one block */
void arena_finish(struct arena *a); /* release all memory; usable again */
/* Not zeroed. */
void *arena_piece(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* Zeroed, 16-byte aligned. */
__attribute__((returns_nonnull)) static inline void *arena_alloc(struct arena *a, size_t size)
{
    void *piece = a->free;

    if (size > a->free_size || size == 0)
        return memset(arena_piece(a, size), 0, size);
    size = (size + 15) & ~(size_t)15;
    a->free += size;
    a->free_size -= size;
    return memset(piece, 0, size);
}
__attribute__((returns_nonnull)) static inline void *arena_array(struct arena *a, size_t count,
                                                                 size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return arena_piece(a, SIZE_MAX); /* ends the process */
    return arena_alloc(a, bytes);
}
char *arena_dup(struct arena *a, struct str s) __attribute__((returns_nonnull)); /* NUL added */
char *arena_strdup(struct arena *a, const char *text); /* NULL stays NULL */
char *arena_format(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, count, type) ((type *)arena_array((a), (count), sizeof(type)))
#define AUTO_ARENA __attribute__((cleanup(arena_finish)))
