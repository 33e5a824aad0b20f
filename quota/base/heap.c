#include "quota/base/heap.h"

#include <stdlib.h>

#include "quota/base/mem.h"

void heap_init(struct heap *h, size_t place_offset, heap_before_fn *before, void *context)
{
    *h = (struct heap){ .place_offset = place_offset, .before = before, .context = context };
}

void heap_finish(struct heap *h)
{
    free(h->items);
    h->items = NULL;
    h->count = h->capacity = 0;
}

static uint32_t *place_of(const struct heap *h, void *item)
{
    return (uint32_t *)(void *)((char *)item + h->place_offset);
}

static void settle(struct heap *h, size_t place, void *item)
{
    h->items[place] = item;
    *place_of(h, item) = (uint32_t)place;
}

/* Four children: half the levels of a binary heap, and the four are fetched from memory together.
 */
enum { CHILDREN = 4 };

static size_t parent_of(size_t place)
{
    return (place - 1) / CHILDREN;
}

static void sift_up(struct heap *h, size_t place, void *item)
{
    while (place > 0) {
        size_t parent = parent_of(place);

        if (!h->before(item, h->items[parent], h->context))
            break;
        settle(h, place, h->items[parent]);
        place = parent;
    }
    settle(h, place, item);
}

static size_t first_child(const struct heap *h, size_t from, size_t end)
{
    size_t first = from;

    for (size_t i = from; i < end; i++)
        __builtin_prefetch(h->items[i]);
    for (size_t i = from + 1; i < end; i++)
        if (h->before(h->items[i], h->items[first], h->context))
            first = i;
    return first;
}

static void sift_down(struct heap *h, size_t place, void *item)
{
    size_t from;

    while ((from = place * CHILDREN + 1) < h->count) {
        size_t end = from + CHILDREN < h->count ? from + CHILDREN : h->count;
        size_t child = first_child(h, from, end);

        if (!h->before(h->items[child], item, h->context))
            break;
        settle(h, place, h->items[child]);
        place = child;
    }
    settle(h, place, item);
}

/* Put 'item' at 'place' or wherever the order wants it. */
static void sift(struct heap *h, size_t place, void *item)
{
    if (place > 0 && h->before(item, h->items[parent_of(place)], h->context))
        sift_up(h, place, item);
    else
        sift_down(h, place, item);
}

void heap_push(struct heap *h, void *item)
{
    h->items = mem_grow(h->items, h->count, &h->capacity, sizeof(*h->items));
    h->count++;
    sift_up(h, h->count - 1, item);
}

void *heap_pop(struct heap *h)
{
    void *item = heap_peek(h);

    if (item)
        heap_remove(h, item);
    return item;
}

void heap_remove(struct heap *h, void *item)
{
    size_t place = *place_of(h, item);
    void *last;

    if (!heap_contains(h, item))
        return;
    last = h->items[--h->count];
    if (last != item)
        sift(h, place, last);
    *place_of(h, item) = HEAP_ABSENT;
}

void heap_update(struct heap *h, void *item)
{
    size_t place = *place_of(h, item);

    if (heap_contains(h, item))
        sift(h, place, item);
}

void heap_rebuild(struct heap *h)
{
    for (size_t i = h->count > 1 ? parent_of(h->count - 1) + 1 : 0; i-- > 0;)
        sift_down(h, i, h->items[i]);
}

bool heap_is_ordered(const struct heap *h)
{
    for (size_t i = 1; i < h->count; i++)
        if (h->before(h->items[i], h->items[parent_of(i)], h->context))
            return false;
    return true;
}
