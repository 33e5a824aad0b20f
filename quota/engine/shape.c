#include "quota/engine/shape.h"

#include <stdlib.h>

#include "quota/base/map.h"
#include "quota/base/mem.h"
#include "quota/engine/shape_private.h"
#include "quota/engine/validation.h"

/* Entries with the same hash of their key bytes hang in one chain; bytes decide. */
struct keyed {
    struct keyed *next;
    uint64_t hash;
    char *bytes; /* behind the entry, in the same piece of memory */
    size_t length;
};

/* One 3.9 shape; its number is never given to another. */
struct equivalence {
    struct keyed keyed;
    uint64_t number;
    uint32_t references;
};

struct entry {
    struct keyed keyed;
    struct shape shape;
    struct equivalence *equivalence;
    size_t size; /* bytes of this piece of memory */
};

struct shape_store {
    const struct engine_options *options;
    struct id_map *shapes, *equivalences; /* hash -> first of chain */
    struct intern *resources;
    struct strbuf key;    /* reused from call to call */
    struct arena scratch; /* reset after every call */
    uint64_t next_equivalence;
    uint32_t next_id;
    uint32_t *free_ids;
    size_t free_count, free_capacity;
    size_t count, bytes;
};

struct shape_store *shape_store_create(const struct engine_options *options)
{
    struct shape_store *store = mem_alloc(sizeof(*store));

    store->options = options;
    store->shapes = id_map_create();
    store->equivalences = id_map_create();
    store->resources = intern_create();
    store->next_equivalence = 1;
    store->next_id = 1;
    arena_init(&store->scratch);
    return store;
}

static void chains_free(struct id_map *chains)
{
    uint64_t hash;
    void *value;

    for (size_t at = 0; id_map_next(chains, &at, &hash, &value);) {
        struct keyed *keyed = value;

        while (keyed) {
            struct keyed *next = keyed->next;

            free(keyed);
            keyed = next;
        }
    }
    id_map_destroy(chains);
}

void shape_store_destroy(struct shape_store *store)
{
    if (!store)
        return;
    chains_free(store->shapes);
    chains_free(store->equivalences);
    intern_destroy(store->resources);
    strbuf_finish(&store->key);
    arena_finish(&store->scratch);
    free(store->free_ids);
    free(store);
}

struct intern *shape_store_resources(struct shape_store *store)
{
    return store->resources;
}

/* ---- chains ---- */

static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

static uint64_t bytes_hash(const char *bytes, size_t length)
{
    uint64_t hash = length, word = 0;

    for (; length >= sizeof(word); bytes += sizeof(word), length -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        hash = mix(hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
    }
    word = 0;
    memcpy(&word, bytes, length);
    return mix(hash ^ word);
}

static void *chain_find(const struct id_map *chains, uint64_t hash, const struct strbuf *key)
{
    for (struct keyed *keyed = id_map_get(chains, hash); keyed; keyed = keyed->next)
        if (keyed->length == key->length && memcmp(keyed->bytes, key->text, key->length) == 0)
            return keyed;
    return NULL;
}

static void chain_put(struct id_map *chains, struct keyed *keyed)
{
    keyed->next = id_map_put(chains, keyed->hash, keyed);
}

static void chain_remove(struct id_map *chains, struct keyed *keyed)
{
    struct keyed *at = id_map_get(chains, keyed->hash);

    if (at != keyed) {
        while (at->next != keyed)
            at = at->next;
        at->next = keyed->next;
    } else if (keyed->next) {
        id_map_put(chains, keyed->hash, keyed->next);
    } else {
        id_map_remove(chains, keyed->hash);
    }
}

static void keyed_fill(struct keyed *keyed, uint64_t hash, const struct strbuf *key, void *bytes)
{
    keyed->hash = hash;
    keyed->length = key->length;
    keyed->bytes = bytes;
    memcpy(bytes, key->text, key->length);
}

/* ---- equivalence (3.9) ---- */

static struct equivalence *equivalence_intern(struct shape_store *store)
{
    uint64_t hash = bytes_hash(store->key.text, store->key.length);
    struct equivalence *found = chain_find(store->equivalences, hash, &store->key);

    if (!found) {
        found = mem_alloc(sizeof(*found) + store->key.length);
        keyed_fill(&found->keyed, hash, &store->key, found + 1);
        found->number = store->next_equivalence++;
        chain_put(store->equivalences, &found->keyed);
        store->bytes += sizeof(*found) + store->key.length;
    }
    found->references++;
    return found;
}

static void equivalence_release(struct shape_store *store, struct equivalence *equivalence)
{
    if (--equivalence->references)
        return;
    chain_remove(store->equivalences, &equivalence->keyed);
    store->bytes -= sizeof(*equivalence) + equivalence->keyed.length;
    free(equivalence);
}

uint64_t equivalence_hash(int64_t priority, const struct shape_count *shapes, size_t count)
{
    uint64_t hash = mix((uint64_t)priority + UINT64_C(0x9e3779b97f4a7c15));

    for (size_t i = 0; i < count; i++) {
        hash = mix(hash ^ shapes[i].equivalence) + UINT64_C(0x9e3779b97f4a7c15);
        hash = mix(hash ^ (uint32_t)shapes[i].count) + UINT64_C(0x9e3779b97f4a7c15);
    }
    return hash ? hash : 1;
}

/* ---- shapes ---- */

static uint32_t id_take(struct shape_store *store)
{
    return store->free_count ? store->free_ids[--store->free_count] : store->next_id++;
}

static void id_give_back(struct shape_store *store, uint32_t id)
{
    store->free_ids = mem_grow(store->free_ids, store->free_count, &store->free_capacity,
                               sizeof(*store->free_ids));
    store->free_ids[store->free_count++] = id;
}

/* Facts about to be packed. */
struct draft {
    const struct pod_set *pod_set;
    const struct pod_template *adjusted;
    const struct device_requests *devices; /* or NULL */
    const char *allowed_flavors;
    struct amounts requests;
    bool violates_limit_range;
};

static void draft_key(struct strbuf *key, const struct draft *draft)
{
    bool same = draft->adjusted == &draft->pod_set->pod;

    strbuf_reset(key);
    key_pod_set(key, draft->pod_set);
    strbuf_putc(key, same ? '=' : '+');
    if (!same)
        key_template(key, draft->adjusted);
    strbuf_putc(key, draft->violates_limit_range ? '!' : '.');
    key_devices(key, draft->devices);
    key_text(key, draft->allowed_flavors);
}

/* 'shape' is NULL in the counting pass. */
static void pack_requests(struct packer *p, const struct shape_store *store, struct amounts from,
                          struct shape *shape)
{
    struct amounts to = { pack_take(p, from.count * sizeof(*to.items)), from.count };
    uint32_t *resources = pack_take(p, from.count * sizeof(*resources));

    if (!shape)
        return;
    for (size_t i = 0; i < from.count; i++) {
        resources[i] = intern_put(store->resources, str_of(from.items[i].resource));
        to.items[i] = from.items[i];
        to.items[i].resource = intern_text(store->resources, resources[i]);
    }
    shape->requests = to;
    shape->resources = resources;
}

/* One pass of copying 'draft' into an entry; 'entry' is NULL in the counting pass. */
static void pack_entry(struct packer *p, const struct shape_store *store, const struct draft *draft,
                       struct entry *entry)
{
    struct pod_set *pod_set = pack_take(p, sizeof(*pod_set));
    struct pod_template *adjusted = NULL;

    pack_pod_set(p, draft->pod_set, pod_set);
    if (draft->adjusted != &draft->pod_set->pod) {
        adjusted = pack_take(p, sizeof(*adjusted));
        pack_template(p, draft->adjusted, adjusted);
    }
    pack_requests(p, store, draft->requests, entry ? &entry->shape : NULL);
    if (!entry)
        return;
    entry->shape.pod_set = pod_set;
    entry->shape.adjusted = adjusted ? adjusted : &pod_set->pod;
}

static struct entry *entry_create(struct shape_store *store, const struct draft *draft,
                                  uint64_t hash)
{
    struct packer p = { .used = sizeof(struct entry) };
    struct entry *entry;
    void *bytes;

    pack_entry(&p, store, draft, NULL);
    pack_take(&p, store->key.length);
    entry = mem_alloc(p.used);
    entry->size = p.used;
    p = (struct packer){ (char *)entry, sizeof(struct entry) };
    pack_entry(&p, store, draft, entry);
    bytes = pack_take(&p, store->key.length);
    keyed_fill(&entry->keyed, hash, &store->key, bytes);
    return entry;
}

static struct entry *entry_add(struct shape_store *store, struct draft *draft, uint64_t hash)
{
    struct entry *entry;

    draft->requests =
        pod_requests(draft->adjusted, store->options, draft->devices, &store->scratch);
    entry = entry_create(store, draft, hash);
    entry->shape.id = id_take(store);
    entry->shape.exceeds_limits = pod_exceeds_limits(draft->adjusted);
    entry->shape.violates_limit_range = draft->violates_limit_range;
    chain_put(store->shapes, &entry->keyed);
    store->count++;
    store->bytes += entry->size;
    strbuf_reset(&store->key);
    key_equivalence(&store->key, draft->pod_set, draft->adjusted, draft->requests,
                    draft->allowed_flavors);
    entry->equivalence = equivalence_intern(store);
    entry->shape.equivalence = entry->equivalence->number;
    return entry;
}

struct shape *shape_intern(struct shape_store *store, const struct pod_set *pod_set,
                           const struct shape_surroundings *surroundings)
{
    struct draft draft = {
        .pod_set = pod_set,
        .devices = surroundings->devices,
        .allowed_flavors = surroundings->allowed_flavors,
    };
    struct entry *entry;
    uint64_t hash;

    draft.adjusted = pod_adjust(&pod_set->pod, surroundings->limits, surroundings->runtime_class,
                                &store->scratch);
    draft.violates_limit_range =
        pod_violates_limit_range(draft.adjusted, surroundings->limits, &store->scratch);
    draft_key(&store->key, &draft);
    hash = bytes_hash(store->key.text, store->key.length);
    entry = chain_find(store->shapes, hash, &store->key);
    if (!entry)
        entry = entry_add(store, &draft, hash);
    arena_reset(&store->scratch);
    entry->shape.references++;
    return &entry->shape;
}

static struct entry *entry_of(struct shape *shape)
{
    return (struct entry *)((char *)shape - offsetof(struct entry, shape));
}

void shape_unref(struct shape_store *store, struct shape *shape)
{
    struct entry *entry = shape ? entry_of(shape) : NULL;

    if (!entry || --shape->references)
        return;
    chain_remove(store->shapes, &entry->keyed);
    equivalence_release(store, entry->equivalence);
    id_give_back(store, shape->id);
    store->count--;
    store->bytes -= entry->size;
    free(entry);
}

size_t shape_store_count(const struct shape_store *store)
{
    return store->count;
}

size_t shape_store_bytes(const struct shape_store *store)
{
    return store->bytes;
}
