#include "quota/base/map.h"

#include <stdlib.h>

#include "quota/base/hash.h"
#include "quota/base/mem.h"

/* As map.c, with numbers: a slot is free when its value is NULL. */
struct id_slot {
    uint64_t key;
    void *value;
};

struct id_map {
    struct id_slot *slots;
    size_t mask;
    size_t count;
};

struct id_map *id_map_create(void)
{
    struct id_map *m = mem_alloc(sizeof(*m));

    m->mask = 7;
    m->slots = mem_array(m->mask + 1, sizeof(*m->slots));
    return m;
}

void id_map_destroy(struct id_map *m)
{
    if (!m)
        return;
    free(m->slots);
    free(m);
}

static size_t home_of(const struct id_map *m, uint64_t key)
{
    return (size_t)hash_number(key) & m->mask;
}

static struct id_slot *slot_find(const struct id_map *m, uint64_t key)
{
    size_t i = home_of(m, key);

    while (m->slots[i].value && m->slots[i].key != key)
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

static void id_map_grow(struct id_map *m)
{
    struct id_slot *old = m->slots;
    size_t old_mask = m->mask;

    m->mask = old_mask * 2 + 1;
    m->slots = mem_array(m->mask + 1, sizeof(*m->slots));
    for (size_t i = 0; i <= old_mask; i++)
        if (old[i].value)
            *slot_find(m, old[i].key) = old[i];
    free(old);
}

void *id_map_put(struct id_map *m, uint64_t key, void *value)
{
    struct id_slot *slot = slot_find(m, key);
    void *before = slot->value;

    if (!before && m->count + 1 > (m->mask + 1) / 4 * 3) {
        id_map_grow(m);
        slot = slot_find(m, key);
    }
    *slot = (struct id_slot){ key, value };
    m->count += before ? 0 : 1;
    return before;
}

void *id_map_get(const struct id_map *m, uint64_t key)
{
    return slot_find(m, key)->value;
}

void *id_map_remove(struct id_map *m, uint64_t key)
{
    size_t gap = (size_t)(slot_find(m, key) - m->slots);
    void *value = m->slots[gap].value;

    if (!value)
        return NULL;
    m->count--;
    for (size_t i = (gap + 1) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
        if (((i - home_of(m, m->slots[i].key)) & m->mask) < ((i - gap) & m->mask))
            continue;
        m->slots[gap] = m->slots[i];
        gap = i;
    }
    m->slots[gap] = (struct id_slot){ 0, NULL };
    return value;
}

size_t id_map_count(const struct id_map *m)
{
    return m->count;
}

bool id_map_next(const struct id_map *m, size_t *at, uint64_t *key, void **value)
{
    for (; *at <= m->mask; (*at)++) {
        const struct id_slot *slot = &m->slots[*at];

        if (!slot->value)
            continue;
        *key = slot->key;
        *value = slot->value;
        (*at)++;
        return true;
    }
    return false;
}
