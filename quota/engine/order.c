/* Who is processed first (spec/scheduling.md 4.8). Ties beyond the rules: smaller uid, then key. */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/cycle.h"

/* What the rules compare, side by side: reading it from a thousand entries costs more than sorting.
 */
struct order_key {
    int64_t values[4]; /* smaller first */
    struct entry *entry;
};

static int ties_compare(const struct item *a, const struct item *b)
{
    int order = strcmp(item_uid(a), item_uid(b));

    return order != 0 ? order : strcmp(a->key, b->key);
}

static int keys_compare(const void *a, const void *b)
{
    const struct order_key *left = a, *right = b;

    for (size_t i = 0; i < ARRAY_COUNT(left->values); i++)
        if (left->values[i] != right->values[i])
            return left->values[i] < right->values[i] ? -1 : 1;
    return ties_compare(left->entry->item, right->entry->item);
}

/* ~x turns the order of x around, without overflow. */
static struct order_key order_key(const struct engine_gates *gates, struct entry *entry)
{
    return (struct order_key){ { gates->prioritize_preemptor_workloads ? !entry->is_preemptor : 0,
                                 entry->assignment->level,
                                 gates->priority_sorting_within_cohort ? ~entry->item->priority : 0,
                                 entry->item->queue_time },
                               entry };
}

void cycle_order_begin(struct cycle *cycle)
{
    const struct engine_gates *gates = &cycle->engine->options.gates;
    struct order_key *keys = ARENA_ARRAY(cycle->a, cycle->count + 1, struct order_key);

    for (size_t i = 0; i < cycle->count; i++)
        if (cycle->entries[i].state == ENTRY_NOMINATED)
            keys[cycle->order_count++] = order_key(gates, &cycle->entries[i]);
    qsort(keys, cycle->order_count, sizeof(*keys), keys_compare);
    cycle->order = ARENA_ARRAY(cycle->a, cycle->order_count + 1, struct entry *);
    for (size_t i = 0; i < cycle->order_count; i++)
        cycle->order[i] = keys[i].entry;
}

struct entry *cycle_order_next(struct cycle *cycle, size_t at)
{
    if (at >= cycle->order_count)
        return NULL;
    if (cycle->engine->options.fair_sharing)
        return fair_tournament_next(cycle, at);
    return cycle->order[at];
}
