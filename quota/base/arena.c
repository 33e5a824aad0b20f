#include "quota/base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include "quota/base/mem.h"

struct arena_block {
    struct arena_block *older;
    size_t size; /* bytes at 'bytes' */
    alignas(16) char bytes[];
};

enum { FIRST_BLOCK = 4096 - 64, LARGEST_BLOCK = 256 * 1024 };

void arena_init(struct arena *a)
{
    *a = (struct arena)ARENA_INIT;
}

static void blocks_free(struct arena *a, struct arena_block *keep)
{
    struct arena_block *block = a->block;

    while (block) {
        struct arena_block *older = block->older;

        if (block != keep)
            free(block);
        block = older;
    }
}

/* The block worth keeping: the largest of ordinary size. */
static struct arena_block *block_kept(const struct arena *a)
{
    struct arena_block *best = NULL;

    for (struct arena_block *block = a->block; block; block = block->older)
        if (block->size <= LARGEST_BLOCK && (!best || block->size > best->size))
            best = block;
    return best;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = block_kept(a);

    blocks_free(a, keep);
    arena_init(a);
    if (!keep)
        return;
    keep->older = NULL;
    a->block = keep;
    a->free = keep->bytes;
    a->free_size = keep->size;
    a->total = keep->size;
}

void arena_finish(struct arena *a)
{
    blocks_free(a, NULL);
    arena_init(a);
}

static struct arena_block *block_create(struct arena *a, size_t size)
{
    struct arena_block *block;
    size_t bytes = size;

    if (__builtin_add_overflow(size, sizeof(*block), &bytes))
        bytes = SIZE_MAX; /* ends the process below */
    block = mem_resize(NULL, bytes, 1);
    block->older = NULL;
    block->size = size;
    a->total += size;
    return block;
}

static size_t next_block_size(const struct arena *a)
{
    if (a->total < FIRST_BLOCK)
        return FIRST_BLOCK;
    return a->total < LARGEST_BLOCK ? a->total * 2 > LARGEST_BLOCK ? LARGEST_BLOCK : a->total * 2
                                    : LARGEST_BLOCK;
}

/* A piece too large for ordinary blocks: its block goes behind the newest, which stays in use. */
static char *large_alloc(struct arena *a, size_t size)
{
    struct arena_block *block = block_create(a, size);

    if (a->block) {
        block->older = a->block->older;
        a->block->older = block;
    } else {
        a->block = block;
    }
    return block->bytes;
}

/* The newest block is full: a piece of a new one. */
static char *block_piece(struct arena *a, size_t size)
{
    size_t usual = next_block_size(a);
    struct arena_block *block;

    if (size > LARGEST_BLOCK / 4)
        return large_alloc(a, size);
    block = block_create(a, usual < size ? size : usual);
    block->older = a->block;
    a->block = block;
    a->free = block->bytes + size;
    a->free_size = block->size - size;
    return block->bytes;
}

void *arena_piece(struct arena *a, size_t size)
{
    size_t rounded = size > SIZE_MAX - 32 ? size : (size + 15) & ~(size_t)15;
    char *piece = a->free;

    if (rounded == 0)
        rounded = 16;
    if (a->free_size < rounded)
        return block_piece(a, rounded);
    a->free += rounded;
    a->free_size -= rounded;
    return piece;
}

char *arena_dup(struct arena *a, struct str s)
{
    char *copy = arena_piece(a, s.length + 1);

    if (s.length > 0)
        memcpy(copy, s.text, s.length);
    copy[s.length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return text ? arena_dup(a, str_of(text)) : NULL;
}

/* ---- formatting ---- */

/* Most formats join texts (%s) and nothing else: these do without printf, which costs several times
 * as much as the copying. */
enum { PIECES = 32 };

/* The texts that the format joins, in order: how many. 0: it does more than that, or joins too
 * many. */
__attribute__((format(printf, 2, 0))) static size_t pieces_of(struct str pieces[PIECES],
                                                              const char *fmt, va_list args)
{
    size_t count = 0;

    while (*fmt) {
        const char *end = strchrnul(fmt, '%'), *text;

        if (count + 2 > PIECES || (*end && end[1] != 's'))
            return 0;
        pieces[count++] = (struct str){ fmt, (size_t)(end - fmt) };
        if (!*end)
            break;
        text = va_arg(args, const char *);
        pieces[count++] = str_of(text ? text : "(null)");
        fmt = end + 2;
    }
    return count;
}

static char *pieces_join(struct arena *a, const struct str *pieces, size_t count)
{
    size_t length = 0;
    char *text, *end;

    for (size_t i = 0; i < count; i++)
        length += pieces[i].length;
    text = end = arena_piece(a, length + 1);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].length > 0)
            end = mempcpy(end, pieces[i].text, pieces[i].length);
    *end = '\0';
    return text;
}

/* Most texts fit into what is left of the newest block, and are made there at once. */
__attribute__((format(printf, 2, 0))) static char *text_print(struct arena *a, const char *fmt,
                                                              va_list args)
{
    size_t room = a->free_size;
    char *here = a->free, *text;
    va_list again;
    int length;

    va_copy(again, args);
    length = vsnprintf(here, room, fmt, args);
    if (length < 0)
        length = 0;
    text = arena_piece(a, (size_t)length + 1);
    if (text != here)
        vsnprintf(text, (size_t)length + 1, fmt, again);
    va_end(again);
    text[length] = '\0';
    return text;
}

char *arena_format(struct arena *a, const char *fmt, ...)
{
    struct str pieces[PIECES];
    va_list args;
    size_t count;
    char *text;

    va_start(args, fmt);
    count = pieces_of(pieces, fmt, args);
    va_end(args);
    if (count > 0)
        return pieces_join(a, pieces, count);
    va_start(args, fmt);
    text = text_print(a, fmt, args);
    va_end(args);
    return text;
}
