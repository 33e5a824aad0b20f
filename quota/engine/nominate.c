/* Heads: who may try, and what each would get (spec/scheduling.md 4.2, 4.3). */
#include <string.h>

#include "quota/engine/cycle.h"
#include "quota/engine/selector.h"
#include "quota/engine/validation.h"

static bool reject(struct entry *entry, const char *reason, const char *message,
                   enum requeue_why why)
{
    entry->state = ENTRY_REJECTED;
    entry->reason = reason;
    entry->message = message;
    entry->why = why;
    return true;
}

const char *item_resources_problem(const struct item *item, struct arena *a)
{
    const struct pod_template **pods =
        ARENA_ARRAY(a, item->pod_set_count + 1, const struct pod_template *);
    bool exceeds = false, violates = false;
    const char *problem;

    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        pods[i] = item->pod_sets[i].shape->adjusted;
        exceeds = exceeds || item->pod_sets[i].shape->exceeds_limits;
        violates = violates || item->pod_sets[i].shape->violates_limit_range;
    }
    problem = exceeds ? validation_resources(pods, item->pod_set_count, a) : NULL;
    if (!problem && violates)
        problem = validation_limit_range(pods, item->pod_set_count, &item->namespace->summary, a);
    return problem;
}

static bool namespace_rejects(struct cycle *cycle, struct entry *entry)
{
    const struct namespace_record *namespace = entry->item->namespace;

    if (!namespace->exists)
        return reject(entry, "Misconfigured",
                      arena_format(cycle->a,
                                   "workload namespace \"%s\" does not exist: namespaces \"%s\" "
                                   "not found",
                                   namespace->name, namespace->name),
                      WHY_GENERIC);
    if (!selector_matches(&entry->queue->copy.namespace_selector, namespace->labels.labels,
                          namespace->labels.label_count))
        return reject(entry, "Misconfigured",
                      "workload namespace doesn't match ClusterQueue selector",
                      WHY_NAMESPACE_MISMATCH);
    return false;
}

static bool is_rejected(struct cycle *cycle, struct entry *entry)
{
    const char *problem;

    if (entry->item->failed_checks)
        return reject(entry, "PendingEvaluation", "The workload has failed admission checks",
                      WHY_GENERIC);
    if (!entry->queue->is_active || entry->queue->node.is_cyclic)
        return reject(entry, "Suspended",
                      arena_format(cycle->a, "ClusterQueue %s is inactive", entry->queue->name),
                      WHY_GENERIC);
    if (namespace_rejects(cycle, entry))
        return true;
    problem = item_resources_problem(entry->item, cycle->a);
    return problem && reject(entry, "Misconfigured", problem, WHY_GENERIC);
}

/* The slice that this workload replaces: reserving, in the same queue and namespace (4.11). */
static struct item *old_slice_of(const struct cycle *cycle, const struct entry *entry)
{
    const struct item *item = entry->item;
    struct item *old;

    if (!item->extra || !item->extra->slice_for || !cycle->engine->options.gates.elastic_slices)
        return NULL;
    old = map_get(cycle->engine->items, str_of(item->extra->slice_for));
    if (!old || !old->reservation || old->reservation->is_superseded ||
        old->reservation->queue != entry->queue || old->namespace != item->namespace)
        return NULL;
    return old;
}

struct assign_input entry_input(const struct cycle *cycle, const struct entry *entry)
{
    return (struct assign_input){ .engine = cycle->engine,
                                  .item = entry->item,
                                  .queue = entry->queue,
                                  .old_slice = entry->old_slice,
                                  .a = cycle->a };
}

void cycle_nominate(struct cycle *cycle, struct entry *entry)
{
    struct assign_input input;

    if (is_rejected(cycle, entry))
        return;
    entry->old_slice = old_slice_of(cycle, entry);
    assignment_drop_outdated_progress(cycle->engine, entry->item, entry->queue);
    input = entry_input(cycle, entry);
    entry->assignment = assignment_best(&input, &entry->targets);
    entry->is_preemptor = entry->queue->preemptor == entry->item &&
                          entry->queue->preemptor_generation == entry->item->evaluated_generation;
}
