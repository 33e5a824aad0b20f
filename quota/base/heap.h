/* heap.h - an indexed heap (of four children each) of borrowed items: O(log n) push, pop, remove
 * and re-order.
 *
 * The item carries its place: a uint32_t field at a fixed offset (HEAP_PLACE), which the heap keeps
 * up to date (HEAP_ABSENT when the item is in no heap). A heap holds less than 2^32 items.
 * 'before(a, b, context)' must be a strict total order. One owner thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_ABSENT UINT32_MAX
/* The offset of the place in its struct; does not compile when the field has another type. */
#define HEAP_PLACE(type, member)                                                                   \
    (offsetof(type, member) + 0 * sizeof(struct {                                                  \
                                  int unused;                                                      \
                                  _Static_assert(sizeof(((type *)0)->member) == sizeof(uint32_t),  \
                                                 "a uint32_t");                                    \
                              }))
typedef bool heap_before_fn(const void *a, const void *b, void *context);

struct heap {
    void **items;
    size_t count, capacity;
    size_t place_offset; /* HEAP_PLACE(struct item, place) */
    heap_before_fn *before;
    void *context;
};

void heap_init(struct heap *h, size_t place_offset, heap_before_fn *before, void *context);
void heap_finish(struct heap *h);                   /* items are not touched */
void heap_push(struct heap *h, void *item);         /* the item must be in no heap */
static inline void *heap_peek(const struct heap *h) /* NULL when empty */
{
    return h->count > 0 ? h->items[0] : NULL;
}
void *heap_pop(struct heap *h);               /* NULL when empty */
void heap_remove(struct heap *h, void *item); /* no-op when the item is absent */
void heap_update(struct heap *h, void *item); /* after its key changed */
void heap_rebuild(struct heap *h);            /* after many keys changed: O(n) */
bool heap_is_ordered(const struct heap *h);   /* for checks: O(n) */
static inline bool heap_contains(const struct heap *h, const void *item)
{
    size_t place = *(const uint32_t *)(const void *)((const char *)item + h->place_offset);

    return place < h->count && h->items[place] == item;
}
