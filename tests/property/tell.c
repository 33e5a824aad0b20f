#include "tests/property/tell.h"

#include <stdlib.h>

#include "quota/base/mem.h"

static const char *const resource_names[RESOURCES] = { "cpu", "gpu" };

const char *tell_name(struct play *play, char letter, int index)
{
    return arena_format(&play->facts, "%c%d", letter, index);
}

int tell_index(const char *name)
{
    return (int)strtol(name + 1, NULL, 10);
}

static struct quantity whole(int amount)
{
    return quantity_of(amount, QUANTITY_DECIMAL);
}

/* ---- quota ---- */

static struct resource_group *group_make(struct play *play, const struct model_node *node)
{
    struct arena *a = &play->facts;
    struct resource_group *group = ARENA_NEW(a, struct resource_group);

    group->covered_resources = ARENA_ARRAY(a, RESOURCES, const char *);
    group->covered_count = RESOURCES;
    for (int r = 0; r < RESOURCES; r++)
        group->covered_resources[r] = resource_names[r];
    group->flavors = ARENA_ARRAY(a, FLAVORS, struct flavor_quotas);
    group->flavor_count = FLAVORS;
    for (int cell = 0; cell < CELLS; cell++) {
        struct flavor_quotas *flavor = &group->flavors[cell / RESOURCES];
        const struct limits *limits = &node->limits[cell];

        if (!flavor->resources) {
            flavor->flavor = tell_name(play, 'f', cell / RESOURCES);
            flavor->resources = ARENA_ARRAY(a, RESOURCES, struct resource_quota);
        }
        flavor->resources[flavor->resource_count++] =
            (struct resource_quota){ .resource = resource_names[cell % RESOURCES],
                                     .nominal = whole(limits->nominal),
                                     .has_borrowing = limits->borrowing != ABSENT,
                                     .has_lending = limits->lending != ABSENT,
                                     .borrowing = whole(limits->borrowing),
                                     .lending = whole(limits->lending) };
    }
    return group;
}

static const char *parent_name(struct play *play, const struct model_node *node)
{
    return node->parent == ABSENT ? "" : tell_name(play, 'c', node->parent);
}

void tell_cohort(struct play *play, int index)
{
    const struct model_node *node = &play->model.cohorts[index];
    struct cohort cohort = { .name = tell_name(play, 'c', index),
                             .parent = parent_name(play, node),
                             .groups = group_make(play, node),
                             .group_count = 1 };

    if (node->exists)
        engine_cohort_put(play->engine, &cohort, play->model.now);
    else
        engine_cohort_remove(play->engine, cohort.name, play->model.now);
}

static void rules_fill(struct cluster_queue *queue, const struct model_queue *own)
{
    static const enum preemption_policy within[] = { PREEMPT_NEVER, PREEMPT_LOWER_PRIORITY,
                                                     PREEMPT_LOWER_OR_NEWER_EQUAL_PRIORITY };
    static const enum preemption_policy reclaim[] = { PREEMPT_NEVER, PREEMPT_LOWER_PRIORITY,
                                                      PREEMPT_ANY };

    queue->within_cluster_queue = within[own->within];
    queue->reclaim_within_cohort = reclaim[own->reclaim];
    queue->borrow_within_cohort = own->borrow_lower ? PREEMPT_LOWER_PRIORITY : PREEMPT_NEVER;
    queue->has_borrow_threshold = own->borrow_threshold != ABSENT;
    queue->borrow_threshold = own->borrow_threshold;
    queue->strategy = own->strict ? QUEUE_STRICT_FIFO : QUEUE_BEST_EFFORT_FIFO;
    queue->when_can_preempt = own->prefer_next_when_preempting ? FUNGIBILITY_TRY_NEXT_FLAVOR
                                                               : FUNGIBILITY_MAY_STOP_SEARCH;
    queue->when_can_borrow =
        own->prefer_next_when_borrowing ? FUNGIBILITY_TRY_NEXT_FLAVOR : FUNGIBILITY_MAY_STOP_SEARCH;
    queue->has_weight = own->weight != ABSENT;
    queue->weight = whole(own->weight);
}

void tell_queue(struct play *play, int index)
{
    const struct model_queue *own = &play->model.queues[index];
    struct label chosen = { "team", "chosen" };
    struct admission_check_rule check = { .name = "check" };
    struct cluster_queue queue = { .name = tell_name(play, 'q', index),
                                   .cohort = parent_name(play, &own->node),
                                   .groups = group_make(play, &own->node),
                                   .group_count = 1,
                                   .namespace_selector = { .present = true, .labels = &chosen },
                                   .stop_policy = own->stopped ? STOP_HOLD : STOP_NONE,
                                   .checks = &check,
                                   .check_count = own->checked ? 1 : 0,
                                   .usage_based_admission = own->usage_based };

    queue.namespace_selector.label_count = own->selective ? 1 : 0;
    rules_fill(&queue, own);
    if (own->node.exists)
        engine_cluster_queue_put(play->engine, &queue, play->model.now);
    else
        engine_cluster_queue_remove(play->engine, queue.name, play->model.now);
}

void tell_local(struct play *play, int namespace, int queue)
{
    const struct model_local *own = &play->model.locals[namespace][queue];
    struct local_queue local = { .namespace = tell_name(play, 'n', namespace),
                                 .name = tell_name(play, 'l', queue),
                                 .cluster_queue = tell_name(play, 'q', queue),
                                 .stop_policy = own->stopped ? STOP_HOLD : STOP_NONE,
                                 .has_weight = true,
                                 .weight = whole(own->weight) };

    if (own->exists)
        engine_local_queue_put(play->engine, &local, play->model.now);
    else
        engine_local_queue_remove(play->engine, local.namespace, local.name, play->model.now);
}

/* ---- surroundings ---- */

void tell_flavor(struct play *play, int index)
{
    struct resource_flavor flavor = { .name = tell_name(play, 'f', index) };

    if (play->model.flavors[index])
        engine_flavor_put(play->engine, &flavor, play->model.now);
    else
        engine_flavor_remove(play->engine, flavor.name, play->model.now);
}

void tell_check(struct play *play)
{
    struct admission_check check = { .name = "check", .controller = "tests", .active = true };

    if (play->model.check_exists)
        engine_check_put(play->engine, &check, play->model.now);
    else
        engine_check_remove(play->engine, check.name, play->model.now);
}

void tell_namespace(struct play *play, int index)
{
    const struct model_namespace *own = &play->model.namespaces[index];
    struct label chosen = { "team", "chosen" };
    struct namespace_labels labels = { .name = tell_name(play, 'n', index),
                                       .labels = &chosen,
                                       .label_count = own->chosen ? 1 : 0 };

    if (own->exists)
        engine_namespace_put(play->engine, &labels, play->model.now);
    else
        engine_namespace_remove(play->engine, labels.name, play->model.now);
}

void tell_limit_range(struct play *play, int index)
{
    const struct model_namespace *own = &play->model.namespaces[index];
    struct resource_quantity most = { "cpu", whole(own->most_cores) };
    struct limit_range_item item = { .type = LIMIT_CONTAINER, .max = { &most, 1 } };
    struct limit_range limits = {
        .namespace = tell_name(play, 'n', index), .name = "limits", .items = &item, .item_count = 1
    };

    if (own->most_cores != ABSENT)
        engine_limit_range_put(play->engine, &limits, play->model.now);
    else
        engine_limit_range_remove(play->engine, limits.namespace, limits.name, play->model.now);
}

/* ---- workloads ---- */

static void condition_add(struct play *play, struct workload *workload, const char *type,
                          bool is_true, const char *reason, int64_t since)
{
    if (!workload->conditions)
        workload->conditions = ARENA_ARRAY(&play->facts, 6, struct condition);
    workload->conditions[workload->condition_count++] =
        (struct condition){ .type = type,
                            .status = is_true ? CONDITION_TRUE : CONDITION_FALSE,
                            .reason = reason,
                            .message = "",
                            .transition = since };
}

static const char *eviction_reason(enum eviction eviction)
{
    static const char *const reasons[] = { "", "Preempted", "PodsReadyTimeout", "AdmissionCheck" };

    return reasons[eviction];
}

static void conditions_fill(struct play *play, struct workload *workload,
                            const struct model_workload *own, bool holds)
{
    if (holds) {
        condition_add(play, workload, "QuotaReserved", true, "QuotaReserved", own->reserved);
        if (own->admitted)
            condition_add(play, workload, "Admitted", true, "Admitted", own->reserved);
    }
    if (own->eviction == EVICTION_NONE || (holds && !own->evicting))
        return;
    if (!holds)
        condition_add(play, workload, "QuotaReserved", false, "Pending", own->evicted);
    condition_add(play, workload, "Evicted", true, eviction_reason(own->eviction), own->evicted);
    if (own->eviction == EVICTION_PREEMPTED)
        condition_add(play, workload, "Preempted", true, "InClusterQueue", own->evicted);
    if (!holds)
        condition_add(play, workload, "Requeued", own->eviction == EVICTION_PREEMPTED,
                      eviction_reason(own->eviction), own->evicted);
}

static void pod_set_fill(struct play *play, const struct model_pod_set *own, int index,
                         struct pod_set *set)
{
    struct arena *a = &play->facts;
    struct container *container = ARENA_NEW(a, struct container);

    container->name = "main";
    container->requests.items = ARENA_ARRAY(a, RESOURCES, struct resource_quantity);
    for (int r = 0; r < RESOURCES; r++)
        if (own->amounts[r] > 0)
            container->requests.items[container->requests.count++] =
                (struct resource_quantity){ resource_names[r], whole(own->amounts[r]) };
    *set = (struct pod_set){ .name = tell_name(play, 'p', index),
                             .count = own->count,
                             .min_count = own->least,
                             .pod = { .containers = container, .container_count = 1 } };
}

static void assignment_fill(struct play *play, const struct model_pod_set *own, int index,
                            struct pod_set_assignment *assigned)
{
    *assigned = (struct pod_set_assignment){ .pod_set = tell_name(play, 'p', index),
                                             .count = own->held_count };
    assigned->uses = ARENA_ARRAY(&play->facts, RESOURCES, struct resource_flavor_use);
    for (int r = 0; r < RESOURCES; r++)
        if (own->amounts[r] > 0)
            assigned->uses[assigned->use_count++] =
                (struct resource_flavor_use){ resource_names[r], tell_name(play, 'f', own->flavor),
                                              true, whole(own->amounts[r] * own->held_count) };
}

static void pod_sets_fill(struct play *play, struct workload *workload,
                          const struct model_workload *own)
{
    struct arena *a = &play->facts;
    size_t count = (size_t)own->pod_set_count;

    workload->pod_sets = ARENA_ARRAY(a, count, struct pod_set);
    workload->pod_set_count = count;
    workload->admission.pod_sets = ARENA_ARRAY(a, count, struct pod_set_assignment);
    workload->admission.pod_set_count = count;
    workload->reclaimable = ARENA_ARRAY(a, count, struct pod_count);
    workload->reclaimable_count = count;
    for (int s = 0; s < own->pod_set_count; s++) {
        pod_set_fill(play, &own->pod_sets[s], s, &workload->pod_sets[s]);
        assignment_fill(play, &own->pod_sets[s], s, &workload->admission.pod_sets[s]);
        workload->reclaimable[s] =
            (struct pod_count){ workload->pod_sets[s].name, own->pod_sets[s].reclaimed };
    }
}

void tell_workload(struct play *play, int index, bool old)
{
    const struct model_workload *own = &play->model.workloads[index];
    bool holds = own->holds && !old;
    struct workload workload = { .namespace = tell_name(play, 'n', own->namespace),
                                 .name = arena_format(&play->facts, "w%02d", index),
                                 .generation = own->generation,
                                 .created = own->created,
                                 .queue_name = tell_name(play, 'l', own->queue),
                                 .has_priority = true,
                                 .priority = own->priority,
                                 .active = !own->inactive,
                                 .requeue_at = holds ? TIME_NONE : own->requeue };

    workload.uid = workload.name;
    pod_sets_fill(play, &workload, own);
    conditions_fill(play, &workload, own, holds);
    if (holds)
        workload.admission.cluster_queue = tell_name(play, 'q', own->queue);
    engine_workload_put(play->engine, &workload, play->model.now);
}
