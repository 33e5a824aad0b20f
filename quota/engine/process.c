/* One entry's turn (spec/scheduling.md 4.9, 4.10). Works on the simulated tree of the cycle. */
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/cycle.h"
#include "quota/engine/placement.h"

#define OVERLAP "Workload has overlapping preemption targets with another workload"
#define LOST_RACE "Workload no longer fits after processing another workload"
#define DEFERRED                                                                                   \
    "Workload has overlapping preemption targets with another workload, but will fit after these " \
    "preemptions complete"

/* ---- does it fit? ---- */

static bool usage_fits(const struct entry *entry)
{
    const struct assignment *assignment = entry->assignment;

    for (size_t i = 0; i < assignment->usage_count; i++)
        if (node_available_clamped(&entry->queue->node, assignment->usage[i].fr) <
            assignment->usage[i].amount)
            return false;
    return true;
}

static bool is_preempted(const struct cycle *cycle, const struct item *item)
{
    return item->reservation && item->reservation->preempted_cycle == cycle->engine->cycle;
}

/* With all victims of the cycle and the entry's own out of the way. */
static bool fits_without_victims(struct cycle *cycle, const struct entry *entry)
{
    struct journal *journal = &cycle->engine->journal;
    size_t mark = journal_mark(journal);
    const struct node *root = tree_root((struct node *)&entry->queue->node);
    bool fits;

    for (size_t i = 0; i < cycle->preempted_count; i++)
        if (tree_root(&cycle->preempted[i]->reservation->queue->node) == root)
            usage_hide(cycle->engine, cycle->preempted[i]);
    for (size_t i = 0; i < entry->targets.count; i++)
        if (!is_preempted(cycle, entry->targets.items[i].item))
            usage_hide(cycle->engine, entry->targets.items[i].item);
    fits = usage_fits(entry);
    journal_rollback(journal, mark);
    return fits;
}

/* Against what is really held: victims count, plans of other entries do not. */
static bool fits_beside_victims(struct cycle *cycle, const struct entry *entry)
{
    struct journal *journal = &cycle->engine->journal;
    size_t mark = journal_mark(journal);
    bool fits;

    for (size_t i = 0; i < cycle->soft_count; i++)
        for (size_t k = 0; k < cycle->soft[i].count; k++)
            usage_remove(journal, &cycle->soft[i].queue->node, cycle->soft[i].usage[k].fr,
                         cycle->soft[i].usage[k].amount);
    fits = usage_fits(entry);
    journal_rollback(journal, mark);
    return fits;
}

/* Topology: a preemptor may count on the places of the victims, a starter may not. */
static bool has_place(struct cycle *cycle, const struct entry *entry)
{
    struct placement_question question = {
        .engine = cycle->engine, .item = entry->item, .assignment = entry->assignment, .a = cycle->a
    };
    struct item **gone;

    if (!cycle->engine->hooks)
        return true;
    gone = ARENA_ARRAY(cycle->a, cycle->preempted_count + entry->targets.count + 1, struct item *);
    for (size_t i = 0; i < entry->targets.count; i++)
        gone[question.gone_count++] = entry->targets.items[i].item;
    for (size_t i = 0; entry->assignment->mode != MODE_FIT && i < cycle->preempted_count; i++)
        gone[question.gone_count++] = cycle->preempted[i];
    question.gone = gone;
    return placement_still_fits(&question);
}

/* An entry in mode Fit starts at once, so it may not live on quota that a victim still holds, nor
 * on that of the slice it replaces, to which it adds the difference: the promise never to
 * over-admit goes before the rule of 4.9 step 1 (example E7). */
static bool entry_fits(struct cycle *cycle, const struct entry *entry)
{
    if (usage_fits(entry))
        return true;
    if (!fits_without_victims(cycle, entry))
        return false;
    return entry->assignment->mode != MODE_FIT || fits_beside_victims(cycle, entry);
}

/* ---- plans ---- */

static void usage_plan(struct cycle *cycle, const struct entry *entry,
                       const struct fr_amount *usage, size_t count, bool is_soft)
{
    for (size_t i = 0; i < count; i++)
        usage_add(&cycle->engine->journal, &entry->queue->node, usage[i].fr, usage[i].amount);
    if (is_soft)
        cycle->soft[cycle->soft_count++] = (struct soft_use){ entry->queue, usage, count };
}

static void entry_plan(struct cycle *cycle, const struct entry *entry, bool is_soft)
{
    struct placement_question question = {
        .engine = cycle->engine, .item = entry->item, .assignment = entry->assignment, .a = cycle->a
    };

    usage_plan(cycle, entry, entry->assignment->usage, entry->assignment->usage_count, is_soft);
    placement_plan(&question);
}

static int64_t reserved_amount(const struct entry *entry, const struct fr_amount *use)
{
    const struct cell *cell = node_cell(&entry->queue->node, use->fr);
    int64_t limit;

    if (entry->assignment->level > 0) {
        if (cell->borrowing == LIMIT_ABSENT)
            return use->amount;
        limit = amount_sub(amount_add(cell->nominal, cell->borrowing), cell->usage);
        return use->amount < limit ? use->amount : limit;
    }
    limit = amount_sub(cell->nominal, cell->usage);
    limit = use->amount < limit ? use->amount : limit;
    return limit > 0 ? limit : 0;
}

/* 4.10: what a workload without candidates is entitled to wait for. */
static void reserve_capacity(struct cycle *cycle, const struct entry *entry)
{
    const struct assignment *assignment = entry->assignment;
    bool preemptor =
        cycle->engine->options.gates.prioritize_preemptor_workloads && entry->is_preemptor;
    struct fr_amount *reserved;
    size_t count = 0;

    if (entry->queue->copy.reclaim_within_cohort == PREEMPT_ANY && !preemptor)
        return;
    reserved = ARENA_ARRAY(cycle->a, assignment->usage_count + 1, struct fr_amount);
    for (size_t i = 0; i < assignment->usage_count; i++) {
        int64_t amount = reserved_amount(entry, &assignment->usage[i]);

        /* Over its limit: counts in the ClusterQueue only, as the add of 2.2 has it. */
        if (amount < 0)
            usage_add(&cycle->engine->journal, &entry->queue->node, assignment->usage[i].fr,
                      amount);
        else
            reserved[count++] = (struct fr_amount){ assignment->usage[i].fr, amount };
    }
    usage_plan(cycle, entry, reserved, count, true);
}

/* ---- victims: those who have to go, and slices that are replaced ---- */

static bool targets_overlap(const struct cycle *cycle, const struct entry *entry)
{
    for (size_t i = 0; i < entry->targets.count; i++)
        if (is_preempted(cycle, entry->targets.items[i].item))
            return true;
    return false;
}

static void victims_take(struct cycle *cycle, const struct entry *entry)
{
    for (size_t i = 0; i < entry->targets.count; i++) {
        struct item *victim = entry->targets.items[i].item;

        victim->reservation->preempted_cycle = cycle->engine->cycle;
        cycle->preempted = mem_grow(cycle->preempted, cycle->preempted_count,
                                    &cycle->preempted_capacity, sizeof(struct item *));
        cycle->preempted[cycle->preempted_count++] = victim;
    }
}

/* 4.9 step 2: think again, staying with the flavors that were nominated. */
static void recompute(struct entry *entry, struct assign_input *input)
{
    item_progress_clear(entry->item);
    input->nominated = entry->assignment;
    entry->targets = (struct target_list){ 0 };
    entry->assignment = assignment_best(input, &entry->targets);
}

/* Step 2a: the victims of the cycle are out of the picture. */
static void recompute_behind_victims(struct cycle *cycle, struct entry *entry)
{
    struct engine *engine = cycle->engine;
    size_t mark = journal_mark(&engine->journal);
    struct assign_input input;

    if (entry->old_slice && is_preempted(cycle, entry->old_slice))
        entry->old_slice = NULL;
    input = entry_input(cycle, entry);
    for (size_t i = 0; i < cycle->preempted_count; i++)
        usage_hide(engine, cycle->preempted[i]);
    engine->hides_preempted = true;
    input.hidden = cycle->preempted;
    input.hidden_count = cycle->preempted_count;
    recompute(entry, &input);
    engine->hides_preempted = false;
    journal_rollback(&engine->journal, mark);
    if (entry->assignment->mode == MODE_FIT)
        entry->assignment->mode = MODE_DEFERRED_FIT;
    entry->was_recomputed = true;
}

/* Step 2b: others have taken the place, but not the quota. */
static void recompute_place(struct cycle *cycle, struct entry *entry)
{
    struct assign_input input = entry_input(cycle, entry);

    recompute(entry, &input);
}

static bool lacks_only_a_place(struct cycle *cycle, const struct entry *entry)
{
    bool may_start = entry->assignment->mode == MODE_FIT || entry->targets.count > 0;

    return may_start && !has_place(cycle, entry) && entry_fits(cycle, entry);
}

static void recompute_if_needed(struct cycle *cycle, struct entry *entry)
{
    const struct engine_gates *gates = &cycle->engine->options.gates;

    if (gates->recompute_on_overlap && targets_overlap(cycle, entry))
        recompute_behind_victims(cycle, entry);
    else if (gates->tas_recompute && lacks_only_a_place(cycle, entry))
        recompute_place(cycle, entry);
}

/* ---- verdicts ---- */

static void settle(struct entry *entry, enum entry_state state, enum requeue_why why,
                   const char *reason, const char *message)
{
    entry->state = state;
    entry->why = why;
    entry->reason = reason;
    entry->message = message;
}

static const char *no_fit_reason(enum no_fit no_fit)
{
    switch (no_fit) {
    case NO_FIT_NO_MATCH:
        return "NoMatchingFlavor";
    case NO_FIT_EXCEEDS:
        return "ExceedsMaxQuota";
    case NO_FIT_TOPOLOGY:
        return "TopologyPlacementFailed";
    case NO_FIT_WAITING:
    case NO_FIT_NONE:
        break;
    }
    return "WaitingForQuota";
}

static size_t victim_count(const struct entry *entry)
{
    size_t count = 0;

    for (size_t i = 0; i < entry->targets.count; i++)
        count += entry->targets.items[i].item != entry->old_slice;
    return count;
}

static bool is_gated(const struct cycle *cycle, const struct entry *entry)
{
    const struct engine_gates *gates = &cycle->engine->options.gates;

    return (gates->concurrent_admission || gates->orchestrated_preemption) &&
           entry->item->closed_gate;
}

static bool must_wait_for_pods(const struct cycle *cycle)
{
    const struct engine *engine = cycle->engine;

    return engine->options.wait_for_pods_ready && engine->options.block_admission &&
           engine->not_ready_count + cycle->admitted_not_ready > 0;
}

static const char *first_flavor(const struct engine *engine, const struct entry *entry)
{
    const struct assignment *assignment = entry->assignment;

    return assignment->usage_count > 0 ? fr_flavor_name(engine, assignment->usage[0].fr) : "";
}

/* Step 12 for a variant: a sibling on a flavor that people like less has to go first, if it may. */
static bool migrates(struct cycle *cycle, struct entry *entry)
{
    const struct engine *engine = cycle->engine;
    const struct engine_hooks *hooks = engine->hooks;
    const char *sibling = NULL;
    struct item *item;

    if (!engine->options.gates.concurrent_admission || !hooks || !hooks->migration)
        return false;
    switch (hooks->migration(hooks->context, entry->item->namespace->name, item_name(entry->item),
                             first_flavor(engine, entry), &sibling, cycle->a)) {
    case MIGRATION_NONE:
        return false;
    case MIGRATION_FORBIDDEN:
        settle(entry, ENTRY_SKIPPED, WHY_GENERIC, "PendingEvaluation",
               "Target flavor is below LastAcceptableFlavorName");
        return true;
    case MIGRATION_NEEDED:
        break;
    }
    item = map_get(engine->items, str_of(sibling));
    if (!item || !item->reservation)
        return false;
    target_add(&entry->targets, item, "FlavorMigration", cycle->a);
    settle(entry, ENTRY_MIGRATING, WHY_PENDING_MIGRATION, "WaitingForPreemptedWorkloads", NULL);
    return true;
}

static void start(struct cycle *cycle, struct entry *entry)
{
    victims_take(cycle, entry);
    entry_plan(cycle, entry, must_wait_for_pods(cycle));
    if (must_wait_for_pods(cycle)) {
        settle(entry, ENTRY_BLOCKED, WHY_FAILED_AFTER_NOMINATION, "WaitingForPodsReady",
               "waiting for all admitted workloads to be in PodsReady condition");
        return;
    }
    if (migrates(cycle, entry))
        return;
    cycle->admitted_not_ready++;
    settle(entry, ENTRY_ADMITTED, WHY_GENERIC, "", "");
}

static void preempt(struct cycle *cycle, struct entry *entry)
{
    victims_take(cycle, entry);
    entry_plan(cycle, entry, true);
    settle(entry, ENTRY_PREEMPTING, victim_count(entry) > 0 ? WHY_PENDING_PREEMPTION : WHY_GENERIC,
           "WaitingForPreemptedWorkloads", NULL);
}

static void process_fitting(struct cycle *cycle, struct entry *entry)
{
    if (targets_overlap(cycle, entry))
        settle(entry, ENTRY_SKIPPED, WHY_FAILED_AFTER_NOMINATION, "WaitingForQuota", OVERLAP);
    else if (!entry_fits(cycle, entry) || !has_place(cycle, entry))
        settle(entry, ENTRY_SKIPPED, WHY_FAILED_AFTER_NOMINATION, "WaitingForQuota", LOST_RACE);
    else if (entry->assignment->mode == MODE_PREEMPT)
        preempt(cycle, entry);
    else
        start(cycle, entry);
}

/* 4.9 step 0: a sibling on a flavor that people like better runs already. */
static bool has_better_variant(const struct cycle *cycle, const struct entry *entry)
{
    const struct engine_hooks *hooks = cycle->engine->hooks;

    return cycle->engine->options.gates.concurrent_admission && hooks &&
           hooks->has_better_variant &&
           hooks->has_better_variant(hooks->context, entry->item->namespace->name,
                                     item_name(entry->item));
}

void cycle_process(struct cycle *cycle, struct entry *entry)
{
    if (has_better_variant(cycle, entry)) {
        settle(entry, ENTRY_SKIPPED, WHY_FAILED_AFTER_NOMINATION, "PendingEvaluation",
               "A more favorable variant is already admitted");
        return;
    }
    recompute_if_needed(cycle, entry);
    if (entry->assignment->mode == MODE_NO_FIT) {
        settle(entry, ENTRY_NO_FIT, WHY_NO_FIT, no_fit_reason(entry->assignment->no_fit), NULL);
    } else if (entry->assignment->mode == MODE_PREEMPT && entry->targets.count == 0) {
        reserve_capacity(cycle, entry);
        settle(entry, ENTRY_NO_CANDIDATES, WHY_NO_CANDIDATES, "WaitingForQuota", NULL);
    } else if (entry->assignment->mode == MODE_PREEMPT && is_gated(cycle, entry)) {
        settle(entry, ENTRY_GATED, WHY_PREEMPTION_GATED, "AdmissionGated",
               "Workload requires preemption, but it's gated");
    } else if (entry->assignment->mode == MODE_DEFERRED_FIT) {
        entry_plan(cycle, entry, true);
        settle(entry, ENTRY_DEFERRED, WHY_PENDING_PREEMPTION, "WaitingForPreemptedWorkloads",
               DEFERRED);
    } else {
        process_fitting(cycle, entry);
    }
}
