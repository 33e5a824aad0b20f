#include "quota/base/map.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "quota/base/hash.h"
#include "quota/base/mem.h"

/* Open addressing with linear probing; a removal moves later entries of its run back, so there are
 * no tombstones. The hash is kept, so growing does not read the keys again. */
struct slot {
    const char *key; /* NULL: free */
    void *value;
    uint32_t hash;
    uint32_t length;
};

struct map {
    struct slot *slots;
    size_t mask; /* slots minus one; a power of two minus one */
    size_t count;
    struct hash_key hash_key;
    bool borrows;
};

static _Atomic uint64_t process_seed;

void map_seed(uint64_t seed)
{
    atomic_store(&process_seed, seed);
}

struct hash_key hash_process_key(void)
{
    uint64_t seed = atomic_load(&process_seed);

    return (struct hash_key){ hash_number(seed), hash_number(~seed) };
}

struct map *map_create(void)
{
    struct map *m = mem_alloc(sizeof(*m));

    m->mask = 7;
    m->slots = mem_array(m->mask + 1, sizeof(*m->slots));
    m->hash_key = hash_process_key();
    return m;
}

struct map *map_create_borrowing(void)
{
    struct map *m = map_create();

    m->borrows = true;
    return m;
}

static const char *key_keep(const struct map *m, struct str key)
{
    return m->borrows ? key.text : mem_dup_n(key.text, key.length);
}

static void key_drop(const struct map *m, const char *key)
{
    if (!m->borrows)
        free((char *)(uintptr_t)key);
}

void map_destroy(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i <= m->mask; i++)
        key_drop(m, m->slots[i].key);
    free(m->slots);
    free(m);
}

static uint32_t hash_of(const struct map *m, struct str key)
{
    return (uint32_t)siphash_text(m->hash_key, key);
}

/* The slot that holds the key, or the free slot where it belongs. */
static struct slot *slot_find(const struct map *m, struct str key, uint32_t hash)
{
    size_t i = hash & m->mask;

    for (; m->slots[i].key; i = (i + 1) & m->mask) {
        const struct slot *slot = &m->slots[i];

        if (slot->hash == hash && slot->length == key.length &&
            (key.length == 0 || memcmp(slot->key, key.text, key.length) == 0))
            break;
    }
    return &m->slots[i];
}

static void map_grow(struct map *m)
{
    struct slot *old = m->slots;
    size_t old_mask = m->mask;

    m->mask = old_mask * 2 + 1;
    m->slots = mem_array(m->mask + 1, sizeof(*m->slots));
    for (size_t i = 0; i <= old_mask; i++) {
        size_t to = old[i].hash & m->mask;

        if (!old[i].key)
            continue;
        while (m->slots[to].key)
            to = (to + 1) & m->mask;
        m->slots[to] = old[i];
    }
    free(old);
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint32_t hash = hash_of(m, key);
    struct slot *slot = slot_find(m, key, hash);

    if (slot->key) {
        void *before = slot->value;

        slot->value = value;
        return before;
    }
    if (m->count + 1 > (m->mask + 1) / 4 * 3) {
        map_grow(m);
        slot = slot_find(m, key, hash);
    }
    *slot = (struct slot){ key_keep(m, key), value, hash, (uint32_t)key.length };
    m->count++;
    return NULL;
}

void *map_get(const struct map *m, struct str key)
{
    const struct slot *slot = slot_find(m, key, hash_of(m, key));

    return slot->key ? slot->value : NULL;
}

/* Free the slot and close the gap: an entry moves back unless its home lies after the gap. */
static void slot_clear(struct map *m, size_t gap)
{
    key_drop(m, m->slots[gap].key);
    m->count--;
    for (size_t i = (gap + 1) & m->mask; m->slots[i].key; i = (i + 1) & m->mask) {
        size_t home = m->slots[i].hash & m->mask;

        if (((i - home) & m->mask) < ((i - gap) & m->mask))
            continue;
        m->slots[gap] = m->slots[i];
        gap = i;
    }
    m->slots[gap] = (struct slot){ NULL, NULL, 0, 0 };
}

void *map_remove(struct map *m, struct str key)
{
    struct slot *slot = slot_find(m, key, hash_of(m, key));
    void *value = slot->key ? slot->value : NULL;

    if (slot->key)
        slot_clear(m, (size_t)(slot - m->slots));
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

static struct map_entry slot_entry(const struct slot *slot)
{
    return (struct map_entry){ { slot->key, slot->length }, slot->value };
}

bool map_next(const struct map *m, size_t *at, struct map_entry *entry)
{
    for (; *at <= m->mask; (*at)++) {
        if (!m->slots[*at].key)
            continue;
        *entry = slot_entry(&m->slots[(*at)++]);
        return true;
    }
    return false;
}

static int entry_order(const void *a, const void *b)
{
    return str_compare(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

struct map_entry *map_sorted(const struct map *m)
{
    struct map_entry *entries = mem_array(m->count, sizeof(*entries));
    size_t at = 0, count = 0;

    while (map_next(m, &at, &entries[count]))
        if (++count == m->count)
            break;
    qsort(entries, count, sizeof(*entries), entry_order);
    return entries;
}

void map_remove_if(struct map *m, bool (*gone)(struct str key, void *value, void *context),
                   void *context)
{
    size_t start = 0, i;

    if (m->count == 0)
        return;
    /* Start behind a free slot: then no entry moves back to a place already visited. */
    while (m->slots[start].key)
        start++;
    for (i = (start + 1) & m->mask; i != start;) {
        struct slot *slot = &m->slots[i];

        if (slot->key && gone((struct str){ slot->key, slot->length }, slot->value, context))
            slot_clear(m, i);
        else
            i = (i + 1) & m->mask;
    }
}
