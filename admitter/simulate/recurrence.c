#include "admitter/simulate/recurrence.h"

#include "quota/base/hash.h"
#include "quota/base/map.h"

#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t hash_add(uint64_t hash, uint64_t number)
{
    return hash_number(hash ^ number) * HASH_PRIME;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    static const struct hash_key key = { 0 }; /* the same in every process */

    return hash_add(hash, siphash_text(key, str_of(text)));
}

static uint64_t hash_admission(uint64_t hash, const struct admission *admission)
{
    for (size_t i = 0; i < admission->pod_set_count; i++) {
        const struct pod_set_assignment *pod_set = &admission->pod_sets[i];

        hash = hash_add(hash, (uint64_t)pod_set->count);
        for (size_t k = 0; k < pod_set->use_count; k++)
            hash = hash_text(hash, pod_set->uses[k].flavor);
    }
    return hash;
}

static uint64_t hash_decision(uint64_t hash, const struct decision *decision)
{
    hash = hash_text(hash, decision->namespace);
    hash = hash_text(hash, decision->name);
    hash = hash_add(hash, (uint64_t)decision->outcome);
    hash = hash_add(hash, (uint64_t)decision->requeue);
    hash = hash_text(hash, decision->message);
    hash = hash_admission(hash, &decision->admission);
    for (size_t i = 0; i < decision->victim_count; i++) {
        hash = hash_text(hash, decision->victims[i].namespace);
        hash = hash_text(hash, decision->victims[i].name);
    }
    return hash;
}

static uint64_t hash_cycle(const struct cycle_result *result)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < result->count; i++)
        hash = hash_decision(hash, &result->decisions[i]);
    return hash;
}

void recurrence_init(struct recurrence *r, size_t repeats_enough)
{
    *r = (struct recurrence){ .seen = id_map_create(),
                              .repeats_enough = repeats_enough,
                              .stretches = id_map_create(),
                              .oldest_weight = 1 };
    for (size_t i = 0; i < RECURRENCE_STRETCH; i++)
        r->oldest_weight *= HASH_PRIME;
}

void recurrence_finish(struct recurrence *r)
{
    id_map_destroy(r->seen);
    id_map_destroy(r->stretches);
}

void recurrence_event(struct recurrence *r)
{
    id_map_destroy(r->seen);
    r->seen = id_map_create();
    r->repeats = 0;
}

static void failing_heads(struct recurrence *r, uint64_t cycle, bool changed)
{
    if (changed)
        recurrence_event(r);
    else if (id_map_put(r->seen, cycle, r))
        r->repeats++;
    else
        r->repeats = 0;
}

/* The hash of a stretch is a polynomial of its cycles, so that one can come and one can go. */
static void stretch_move(struct recurrence *r, uint64_t cycle)
{
    uint64_t *oldest = &r->ring[r->cycles++ % RECURRENCE_STRETCH];

    r->stretch = r->stretch * HASH_PRIME + cycle - *oldest * r->oldest_weight;
    *oldest = cycle;
    if (r->cycles >= RECURRENCE_STRETCH && id_map_put(r->stretches, r->stretch, r))
        r->endless = true;
}

void recurrence_cycle(struct recurrence *r, const struct cycle_result *result, bool changed,
                      int64_t now, uint64_t outlook)
{
    uint64_t cycle = hash_cycle(result);

    failing_heads(r, cycle, changed);
    cycle = hash_add(cycle, outlook);
    stretch_move(r, hash_add(cycle, (uint64_t)(now - r->last)));
    r->last = now;
}

bool recurrence_is_stuck(const struct recurrence *r)
{
    return r->repeats >= r->repeats_enough;
}

bool recurrence_is_endless(const struct recurrence *r)
{
    return r->endless;
}
