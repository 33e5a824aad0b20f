/* map.h - a hash map from text to pointer, and one from 64-bit number to pointer.
 *
 * Keys are copied (or borrowed, if wanted so), values are borrowed: the map never frees them.
 * Iteration goes in no particular order and must not change the map (removing the current entry is
 * allowed through map_remove_if). Hashing is seeded per process by map_seed, so that outsiders
 * cannot choose colliding names; iteration order must therefore never reach a decision. One owner
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/str.h"

struct map;
void map_seed(uint64_t seed); /* once, before the first map_create; without it the seed is fixed */
struct map *map_create(void);
/* A map that does not copy its keys: each must stay where it is while its entry is in the map.
 * Lookups may use any text. */
struct map *map_create_borrowing(void);
void map_destroy(struct map *m); /* NULL is fine; values are not touched */
/* Put or replace; returns the value that was there before, or NULL. 'value' must not be NULL. */
void *map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key); /* NULL when absent */
void *map_remove(struct map *m, struct str key);    /* the removed value, or NULL */
size_t map_count(const struct map *m);
struct map_entry {
    struct str key; /* as it was put; when copied: NUL-terminated, owned by the map */
    void *value;
};
/* for (size_t at = 0; map_next(m, &at, &entry);) */
bool map_next(const struct map *m, size_t *at, struct map_entry *entry);
/* Keys in byte order, for outputs that must be stable. Array of map_count(m) entries, caller
 * frees. */
struct map_entry *map_sorted(const struct map *m);
/* Call 'gone' for each entry and remove those for which it answers true. */
void map_remove_if(struct map *m, bool (*gone)(struct str key, void *value, void *context),
                   void *context);

struct id_map;
struct id_map *id_map_create(void);
void id_map_destroy(struct id_map *m);
void *id_map_put(struct id_map *m, uint64_t key, void *value);
void *id_map_get(const struct id_map *m, uint64_t key);
void *id_map_remove(struct id_map *m, uint64_t key);
size_t id_map_count(const struct id_map *m);
bool id_map_next(const struct id_map *m, size_t *at, uint64_t *key, void **value);
