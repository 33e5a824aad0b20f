#include "quota/base/intern.h"

#include <stdlib.h>

#include "quota/base/arena.h"
#include "quota/base/hash.h"
#include "quota/base/mem.h"

struct name {
    const char *text;
    size_t length;
    uint64_t hash;
};

struct intern {
    struct name *names; /* by id; names[0] is the empty name */
    size_t capacity;
    uint32_t count;   /* highest id */
    uint32_t *places; /* hash table of ids; 0 is free */
    size_t mask;
    struct arena texts;
    struct hash_key hash_key;
};

struct intern *intern_create(void)
{
    struct intern *table = mem_alloc(sizeof(*table));

    arena_init(&table->texts);
    table->names = mem_grow(NULL, 0, &table->capacity, sizeof(*table->names));
    table->names[0] = (struct name){ "", 0, 0 };
    table->mask = 15;
    table->places = mem_array(table->mask + 1, sizeof(*table->places));
    table->hash_key = hash_process_key();
    return table;
}

void intern_destroy(struct intern *table)
{
    if (!table)
        return;
    arena_finish(&table->texts);
    free(table->names);
    free(table->places);
    free(table);
}

/* The place that holds the name's id, or the free one where it belongs. */
static uint32_t *place_find(const struct intern *table, struct str name, uint64_t hash)
{
    size_t i = (size_t)hash & table->mask;

    for (; table->places[i] != 0; i = (i + 1) & table->mask) {
        const struct name *known = &table->names[table->places[i]];

        if (known->hash == hash && known->length == name.length &&
            memcmp(known->text, name.text, name.length) == 0)
            break;
    }
    return &table->places[i];
}

static void places_grow(struct intern *table)
{
    free(table->places);
    table->mask = table->mask * 2 + 1;
    table->places = mem_array(table->mask + 1, sizeof(*table->places));
    for (uint32_t id = 1; id <= table->count; id++) {
        size_t i = (size_t)table->names[id].hash & table->mask;

        while (table->places[i] != 0)
            i = (i + 1) & table->mask;
        table->places[i] = id;
    }
}

uint32_t intern_put(struct intern *table, struct str name)
{
    uint64_t hash;
    uint32_t *place;
    char *text;

    if (name.length == 0)
        return 0;
    hash = siphash_text(table->hash_key, name);
    place = place_find(table, name, hash);
    if (*place != 0)
        return *place;
    table->names =
        mem_grow(table->names, (size_t)table->count + 1, &table->capacity, sizeof(*table->names));
    text = arena_dup(&table->texts, name);
    table->names[++table->count] = (struct name){ text, name.length, hash };
    *place = table->count;
    if (table->count > (table->mask + 1) / 4 * 3)
        places_grow(table);
    return table->count;
}

uint32_t intern_find(const struct intern *table, struct str name)
{
    return name.length ? *place_find(table, name, siphash_text(table->hash_key, name)) : 0;
}

const char *intern_text(const struct intern *table, uint32_t id)
{
    return id <= table->count ? table->names[id].text : "";
}
