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
        a->used = size;
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
    a->used = size;
    return block->bytes;
}

/* 'size' bytes, not zeroed. */
static inline char *piece_alloc(struct arena *a, size_t size)
{
    size_t rounded = size > SIZE_MAX - 32 ? size : (size + 15) & ~(size_t)15;
    char *piece;

    if (rounded == 0)
        rounded = 16;
    if (!a->block || a->block->size - a->used < rounded)
        return block_piece(a, rounded);
    piece = a->block->bytes + a->used;
    a->used += rounded;
    return piece;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(piece_alloc(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX; /* ends the process below */
    return arena_alloc(a, bytes);
}

char *arena_dup(struct arena *a, struct str s)
{
    char *copy = piece_alloc(a, s.length + 1);

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
static bool joins_texts(const char *fmt)
{
    for (const char *at = strchr(fmt, '%'); at; at = strchr(at + 2, '%'))
        if (at[1] != 's')
            return false;
    return true;
}

/* The length of the joined texts; with 'out' also their bytes, without a NUL. */
static size_t texts_copy(char *out, const char *fmt, va_list args)
{
    size_t length = 0;

    while (*fmt) {
        bool is_argument = *fmt == '%';
        const char *text = is_argument ? va_arg(args, const char *) : fmt;
        size_t size;

        if (!text)
            text = "(null)";
        size = is_argument ? strlen(text) : strcspn(fmt, "%");
        if (out)
            memcpy(out + length, text, size);
        length += size;
        fmt += is_argument ? 2 : size;
    }
    return length;
}

__attribute__((format(printf, 2, 0))) static char *texts_join(struct arena *a, const char *fmt,
                                                              va_list args)
{
    va_list again;
    size_t length;
    char *text;

    va_copy(again, args);
    length = texts_copy(NULL, fmt, args);
    text = piece_alloc(a, length + 1);
    texts_copy(text, fmt, again);
    va_end(again);
    text[length] = '\0';
    return text;
}

/* Most texts fit into what is left of the newest block, and are made there at once. */
__attribute__((format(printf, 2, 0))) static char *text_print(struct arena *a, const char *fmt,
                                                              va_list args)
{
    size_t room = a->block ? a->block->size - a->used : 0;
    char *here = room > 0 ? a->block->bytes + a->used : NULL, *text;
    va_list again;
    int length;

    va_copy(again, args);
    length = vsnprintf(here, room, fmt, args);
    if (length < 0)
        length = 0;
    text = piece_alloc(a, (size_t)length + 1);
    if (text != here)
        vsnprintf(text, (size_t)length + 1, fmt, again);
    va_end(again);
    text[length] = '\0';
    return text;
}

char *arena_format(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = joins_texts(fmt) ? texts_join(a, fmt, args) : text_print(a, fmt, args);
    va_end(args);
    return text;
}
