/* Who is processed first (spec/scheduling.md 4.8). Ties beyond the rules: smaller uid, then key. */
#include <stdlib.h>
#include <string.h>

#include "quota/engine/cycle.h"

struct order_key {
    const struct entry *entry;
    bool preemptors_first, by_priority;
};

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int ties_compare(const struct item *a, const struct item *b)
{
    int order = strcmp(item_uid(a), item_uid(b));

    return order != 0 ? order : strcmp(a->key, b->key);
}

static int entries_compare(const void *a, const void *b, void *context)
{
    const struct entry *left = *(struct entry *const *)a, *right = *(struct entry *const *)b;
    const struct engine_gates *gates = context;
    int order = 0;

    if (gates->prioritize_preemptor_workloads)
        order = compare_numbers(right->is_preemptor, left->is_preemptor);
    if (order == 0)
        order = compare_numbers(left->assignment->level, right->assignment->level);
    if (order == 0 && gates->priority_sorting_within_cohort)
        order = compare_numbers(right->item->priority, left->item->priority);
    if (order == 0)
        order = compare_numbers(left->item->queue_time, right->item->queue_time);
    return order != 0 ? order : ties_compare(left->item, right->item);
}

void cycle_order_begin(struct cycle *cycle)
{
    cycle->order = ARENA_ARRAY(cycle->a, cycle->count + 1, struct entry *);
    for (size_t i = 0; i < cycle->count; i++)
        if (cycle->entries[i].state == ENTRY_NOMINATED)
            cycle->order[cycle->order_count++] = &cycle->entries[i];
    qsort_r(cycle->order, cycle->order_count, sizeof(struct entry *), entries_compare,
            &cycle->engine->options.gates);
}

struct entry *cycle_order_next(struct cycle *cycle, size_t at)
{
    if (at >= cycle->order_count)
        return NULL;
    if (cycle->engine->options.fair_sharing)
        return fair_tournament_next(cycle, at);
    return cycle->order[at];
}
