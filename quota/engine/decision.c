/* What the caller is told about each head (spec/scheduling.md 4.13, 4.14, 5.8). */
#include <stdlib.h>
#include <string.h>

#include "quota/engine/cycle.h"

#define MESSAGE_LIMIT 32768

/* ---- admission ---- */

static struct pod_set_assignment *pod_set_admission(const struct entry *entry,
                                                    const struct pod_set_pick *from,
                                                    struct pod_set_assignment *to, struct arena *a)
{
    const struct shape *shape = entry->item->pod_sets[from->index].shape;

    to->pod_set = shape->pod_set->name;
    to->count = from->count;
    to->topology_assignment = from->placement.topology_assignment;
    to->delayed_topology = from->placement.is_delayed ? "Pending" : NULL;
    to->uses = ARENA_ARRAY(a, from->pick_count + 1, struct resource_flavor_use);
    for (size_t i = 0; i < from->pick_count; i++) {
        const struct pick *pick = &from->picks[i];

        if (!pick->flavor)
            continue;
        to->uses[to->use_count++] =
            (struct resource_flavor_use){ pick->name, arena_strdup(a, pick->flavor->copy.name),
                                          true, amount_quantity(pick->name, pick->amount) };
    }
    return to;
}

static void admission_make(const struct entry *entry, struct admission *admission, struct arena *a)
{
    const struct assignment *assignment = entry->assignment;

    admission->cluster_queue = arena_strdup(a, entry->queue->name);
    admission->pod_sets = ARENA_ARRAY(a, assignment->pod_set_count + 1, struct pod_set_assignment);
    admission->pod_set_count = assignment->pod_set_count;
    for (size_t i = 0; i < assignment->pod_set_count; i++)
        pod_set_admission(entry, &assignment->pod_sets[i], &admission->pod_sets[i], a);
}

size_t assignment_rows(const struct entry *entry, struct arena *a, struct hold_row **rows)
{
    const struct assignment *assignment = entry->assignment;
    size_t count = 0, n = 0;

    for (size_t s = 0; s < assignment->pod_set_count; s++)
        count += assignment->pod_sets[s].pick_count;
    *rows = ARENA_ARRAY(a, count + 1, struct hold_row);
    for (size_t s = 0; s < assignment->pod_set_count; s++)
        for (size_t i = 0; i < assignment->pod_sets[s].pick_count; i++) {
            const struct pick *pick = &assignment->pod_sets[s].picks[i];

            if (pick->flavor)
                (*rows)[n++] =
                    (struct hold_row){ assignment->pod_sets[s].index, pick->fr, pick->amount };
        }
    return n;
}

/* ---- admission checks per flavor (4.11) ---- */

static bool rule_applies(const struct admission_check_rule *rule, const char *const *flavors,
                         size_t flavor_count)
{
    if (rule->on_flavor_count == 0)
        return true;
    for (size_t i = 0; i < rule->on_flavor_count; i++)
        for (size_t k = 0; k < flavor_count; k++)
            if (strcmp(rule->on_flavors[i], flavors[k]) == 0)
                return true;
    return false;
}

const char **required_checks(const struct engine *engine, const struct cluster_queue_record *queue,
                             const char *const *flavors, size_t flavor_count, struct arena *a,
                             size_t *count)
{
    const char **names = ARENA_ARRAY(a, queue->copy.check_count + 1, const char *);

    (void)engine;
    *count = 0;
    for (size_t i = 0; i < queue->copy.check_count; i++)
        if (rule_applies(&queue->copy.checks[i], flavors, flavor_count))
            names[(*count)++] = arena_strdup(a, queue->copy.checks[i].name);
    return names;
}

static const char **entry_checks(const struct cycle *cycle, const struct entry *entry,
                                 size_t *count)
{
    const struct assignment *assignment = entry->assignment;
    const char **flavors;
    size_t n = 0;

    *count = 0;
    if (entry->queue->copy.check_count == 0 || assignment->usage_count == 0)
        return NULL; /* without any flavor even a check for all flavors has none to look at */
    flavors = ARENA_ARRAY(cycle->a, assignment->usage_count + 1, const char *);
    for (size_t i = 0; i < assignment->usage_count; i++)
        flavors[n++] = fr_flavor_name(cycle->engine, assignment->usage[i].fr);
    return required_checks(cycle->engine, entry->queue, flavors, n, cycle->a, count);
}

static bool check_is_ready(const struct item *item, const char *name)
{
    struct str rest = str_of(item->extra ? item->extra->ready_checks : NULL), head;

    while (str_cut(rest, ',', &head, &rest))
        if (str_is(head, name))
            return true;
    return false;
}

static bool entry_is_admitted_at_once(const struct cycle *cycle, const struct entry *entry)
{
    size_t count;
    const char **checks = entry_checks(cycle, entry, &count);

    if (entry->item->open_checks)
        return false; /* a listed one counts as long as it is listed, required or not */
    for (size_t i = 0; i < count; i++)
        if (!check_is_ready(entry->item, checks[i]))
            return false;
    for (size_t i = 0; i < entry->assignment->pod_set_count; i++)
        if (entry->assignment->pod_sets[i].placement.is_delayed)
            return false;
    return true;
}

/* ---- victims (5.8) ---- */

static const char *preemption_cause(const char *reason)
{
    static const struct {
        const char *reason, *cause;
    } causes[] = {
        { "InClusterQueue", "prioritization in the ClusterQueue" },
        { "InCohortReclamation", "reclamation within the cohort" },
        { "InCohortFairSharing", "Fair Sharing within the cohort" },
        { "InCohortReclaimWhileBorrowing", "reclamation within the cohort while borrowing" },
    };

    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (strcmp(causes[i].reason, reason) == 0)
            return causes[i].cause;
    return reason;
}

/* "/root/.../parent/queue" */
static const char *node_path(const struct node *node, struct arena *a)
{
    size_t length = 0, at;
    char *path;

    for (const struct node *n = node; n; n = n->parent)
        length += strlen(n->name) + 1;
    path = arena_alloc(a, length + 1);
    at = length;
    for (const struct node *n = node; n; n = n->parent) {
        size_t size = strlen(n->name);

        at -= size;
        memcpy(path + at, n->name, size);
        path[--at] = '/';
    }
    return path;
}

static const char *known(const char *text)
{
    return text && *text ? text : "UNKNOWN";
}

const char *replaced_message(const char *uid, const char *job_uid, struct arena *arena)
{
    return arena_format(arena,
                        "Replaced to accommodate a workload (UID: %s, JobUID: %s) due to workload "
                        "slice aggregation",
                        known(uid), known(job_uid));
}

static const char *victim_message(const struct cycle *cycle, const struct entry *entry,
                                  const struct target *target)
{
    const struct item *item = entry->item;

    if (strcmp(target->reason, "FlavorMigration") == 0)
        return arena_format(cycle->a,
                            "Evicted to accommodate a workload (UID: %s) due to migration to more "
                            "favorable resource flavor",
                            known(item_uid(item)));
    return arena_format(
        cycle->a,
        "Preempted to accommodate a workload (UID: %s, JobUID: %s) due to %s; preemptor path: %s; "
        "preemptee path: %s",
        known(item_uid(item)), known(item->extra ? item->extra->job_uid : NULL),
        preemption_cause(target->reason), node_path(&entry->queue->node, cycle->a),
        node_path(&target->item->reservation->queue->node, cycle->a));
}

static const char *priority_text(const struct item *item, struct arena *a)
{
    return arena_format(a, "%lld (base: %d, boost: %lld)", (long long)item->priority,
                        item->priority_base, (long long)(item->priority - item->priority_base));
}

static void victim_make(const struct cycle *cycle, const struct entry *entry,
                        const struct target *target, struct victim *victim)
{
    struct item *item = target->item;
    struct arena *a = cycle->a;

    victim->namespace = arena_strdup(a, item->namespace->name);
    victim->name = arena_strdup(a, item_name(item));
    victim->uid = arena_strdup(a, item_uid(item));
    victim->cluster_queue = arena_strdup(a, item->reservation->queue->name);
    victim->reason = target->reason;
    victim->message = victim_message(cycle, entry, target);
    victim->event_suffix =
        arena_format(a, "; preemptor effective priority: %s; preemptee effective priority: %s",
                     priority_text(entry->item, a), priority_text(item, a));
    victim->already_evicted = item->evicted || item->reservation->eviction_issued;
    item->reservation->eviction_issued = !item->evicted;
}

/* Were all of them tried before, in vain? */
static bool victims_resist(const struct entry *entry)
{
    size_t count = 0;

    for (size_t i = 0; i < entry->targets.count; i++) {
        const struct item *item = entry->targets.items[i].item;

        if (item == entry->old_slice)
            continue;
        if (item->evicted || !item->reservation->eviction_refused)
            return false;
        count++;
    }
    return count > 0;
}

static void victims_make(const struct cycle *cycle, const struct entry *entry,
                         struct decision *decision)
{
    decision->victims = ARENA_ARRAY(cycle->a, entry->targets.count + 1, struct victim);
    for (size_t i = 0; i < entry->targets.count; i++)
        if (entry->targets.items[i].item != entry->old_slice)
            victim_make(cycle, entry, &entry->targets.items[i],
                        &decision->victims[decision->victim_count++]);
}

/* ---- status.resourceRequests (1.13) ---- */

static void requests_make(const struct item *item, struct decision *decision, struct arena *a)
{
    decision->requests = ARENA_ARRAY(a, item->pod_set_count + 1, struct pod_set_assignment);
    decision->request_count = item->pod_set_count;
    for (uint32_t i = 0; i < item->pod_set_count; i++) {
        const struct pod_set_use *use = &item->pod_sets[i];
        struct amounts totals = amounts_scale(use->shape->requests, use->effective, a);
        struct pod_set_assignment *to = &decision->requests[i];

        to->pod_set = arena_strdup(a, use->shape->pod_set->name);
        to->count = use->effective;
        to->uses = ARENA_ARRAY(a, totals.count + 1, struct resource_flavor_use);
        to->use_count = totals.count;
        for (size_t k = 0; k < totals.count; k++)
            to->uses[k] =
                (struct resource_flavor_use){ arena_strdup(a, totals.items[k].resource), NULL, true,
                                              amount_quantity(totals.items[k].resource,
                                                              totals.items[k].amount) };
    }
}

/* ---- the decision ---- */

static enum outcome outcome_of(const struct cycle *cycle, const struct entry *entry)
{
    switch (entry->state) {
    case ENTRY_ADMITTED:
        return entry_is_admitted_at_once(cycle, entry) ? OUTCOME_ADMITTED : OUTCOME_RESERVED;
    case ENTRY_PREEMPTING:
    case ENTRY_MIGRATING:
        return OUTCOME_PREEMPTING;
    case ENTRY_DEFERRED:
    case ENTRY_SKIPPED:
        return OUTCOME_SKIPPED;
    default:
        return OUTCOME_PENDING;
    }
}

static const char *entry_message(const struct cycle *cycle, const struct entry *entry,
                                 const struct decision *decision)
{
    const char *message = entry->message;

    if (!message)
        message = assignment_message(entry->item, entry->assignment, cycle->a);
    if (entry->state == ENTRY_PREEMPTING && decision->victim_count > 0)
        message = arena_format(cycle->a,
                               victims_resist(entry)
                                   ? "%s. Preempting %zu workload(s) failed, will retry."
                                   : "%s. Pending the preemption of %zu workload(s)",
                               message, decision->victim_count);
    if (entry->state == ENTRY_MIGRATING)
        message = arena_format(cycle->a, "%s. Pending the migration of 1 workload(s)", message);
    if (strlen(message) > MESSAGE_LIMIT)
        message = arena_format(cycle->a, "%.*s ...", MESSAGE_LIMIT - 4, message);
    return message;
}

static const char *entry_reason(const struct cycle *cycle, const struct entry *entry)
{
    if (cycle->engine->options.gates.unadmitted_observability)
        return entry->reason;
    return entry->state == ENTRY_BLOCKED ? "Waiting" : "Pending";
}

static const char *recomputation_result(const struct entry *entry)
{
    if (!entry->was_recomputed)
        return NULL;
    if (entry->state == ENTRY_PREEMPTING)
        return "new_targets";
    return entry->state == ENTRY_DEFERRED ? "deferred_fit" : "skipped";
}

void decision_make(struct cycle *cycle, struct entry *entry, struct decision *decision)
{
    struct item *item = entry->item;
    struct arena *a = cycle->a;

    decision->namespace = arena_strdup(a, item->namespace->name);
    decision->name = arena_strdup(a, item_name(item));
    decision->uid = arena_strdup(a, item_uid(item));
    decision->cluster_queue = arena_strdup(a, entry->queue->name);
    decision->outcome = outcome_of(cycle, entry);
    decision->flavors_considered = "";
    decision->reason = decision->message = "";
    decision->borrowing_level = entry->assignment ? entry->assignment->level : 0;
    decision->gated_by_preemption_gate = entry->state == ENTRY_GATED;
    decision->waits_for_pods_ready = entry->state == ENTRY_BLOCKED;
    decision->preemption_skipped = entry->state == ENTRY_SKIPPED && entry->assignment &&
                                   entry->assignment->mode == MODE_PREEMPT;
    decision->recomputation = recomputation_result(entry);
    entry->decision = decision;
    if (entry->state == ENTRY_ADMITTED && entry->assignment) {
        admission_make(entry, &decision->admission, a);
        decision->replaces = entry->old_slice ? arena_strdup(a, entry->old_slice->key) : NULL;
        decision->required_checks = entry_checks(cycle, entry, &decision->required_check_count);
        decision->flavors_considered = assignment_considered(item, entry->assignment, a);
        decision->write_status = true;
        return;
    }
    if (entry->state == ENTRY_PREEMPTING || entry->state == ENTRY_MIGRATING)
        victims_make(cycle, entry, decision);
    decision->reason = entry_reason(cycle, entry);
    decision->message = entry_message(cycle, entry, decision);
    decision->write_status = true;
    requests_make(item, decision, a);
    item_text_set(cycle->engine, item, decision->reason, decision->message);
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = { "Admitted", "Reserved", "Preempting", "Pending",
                                         "Skipped" };

    return names[outcome];
}
