#include "admitter/metrics/metrics_private.h"

#include <math.h>
#include <stdlib.h>
#include "quota/base/mem.h"
#include "quota/base/quantity.h"

/* An amount in the unit people use: cores, bytes, pieces; +Inf when unlimited. */
static double natural(const char *resource, int64_t amount)
{
    if (amount == AMOUNT_UNLIMITED)
        return INFINITY;
    return resource_is_cpu(str_of(resource)) ? (double)amount / 1000 : (double)amount;
}

static void set(enum metrics_id id, const struct metrics_owner *owner, const char *const *base,
                double value)
{
    metrics_emit(id, VERB_SET, owner, base, value);
}

/* A number that changes with the flavors and resources that are shown, or the cohort. */
static uint64_t usage_print(const struct queue_status *status, const char *cohort)
{
    uint64_t hash = 1469598103934665603u;

    for (size_t i = 0; i <= status->usage_count; i++) {
        const char *texts[2] = { cohort, "" };

        if (i < status->usage_count) {
            texts[0] = status->usage[i].flavor;
            texts[1] = status->usage[i].resource;
        }
        for (size_t k = 0; k < 2; k++) {
            for (const char *c = texts[k] ? texts[k] : ""; *c; c++)
                hash = (hash ^ (unsigned char)*c) * 1099511628211u;
            hash = (hash ^ 0xff) * 1099511628211u;
        }
    }
    return hash;
}

/* True once whenever what is shown is no longer the same set: the old series must go. */
static bool usage_changed(struct metrics_record *record, const struct queue_status *status)
{
    uint64_t print = usage_print(status, record->parent);
    bool changed = record->usage_print != 0 && print != record->usage_print;

    record->usage_print = print;
    return changed;
}

/* ---- ClusterQueue ---- */

static void cluster_queue_state(const char *name, const struct metrics_owner *owner,
                                const struct queue_status *status)
{
    const char *reason = status->activity.reason ? status->activity.reason : "";
    bool is_leaving = !status->activity.active && strcmp(reason, "Terminating") == 0;

    set(METRIC_STATUS, owner, BASE(name, "active"), status->activity.active);
    set(METRIC_STATUS, owner, BASE(name, "terminating"), is_leaving);
    set(METRIC_STATUS, owner, BASE(name, "pending"), !status->activity.active && !is_leaving);
}

static void cluster_queue_usage(const char *name, const struct metrics_owner *owner,
                                const struct queue_status *status)
{
    static const enum metrics_id ids[] = { METRIC_RESERVATION, METRIC_USAGE, METRIC_NOMINAL,
                                           METRIC_BORROWING, METRIC_LENDING };

    struct metrics_record *record = metrics_record(LABEL_FROM_CLUSTER_QUEUE, NULL, name);

    if (usage_changed(record, status)) {
        for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
            metrics_drop(ids[i], BASE(NULL, name));
        metrics_drop(METRIC_SHARE, BASE(name, NULL));
    }
    for (size_t i = 0; i < status->usage_count; i++) {
        const struct flavor_resource_usage *usage = &status->usage[i];
        const char *const *base = BASE(record->parent, name, usage->flavor, usage->resource);

        set(METRIC_RESERVATION, owner, base, natural(usage->resource, usage->total));
        set(METRIC_USAGE, owner, base, natural(usage->resource, usage->admitted));
        set(METRIC_NOMINAL, owner, base, natural(usage->resource, usage->nominal));
    }
}

void metrics_cluster_queue_share(const char *name, double share)
{
    const struct metrics_owner owner = { .cluster_queue = name };

    if (metrics_current())
        set(METRIC_SHARE, &owner,
            BASE(name, metrics_record(LABEL_FROM_CLUSTER_QUEUE, NULL, name)->parent),
            isinf(share) ? (double)NAN : share);
}

void metrics_cluster_queue_status(const char *name, const struct queue_status *status)
{
    const struct metrics_owner owner = { .cluster_queue = name };
    int64_t active = status->activity.active ? status->pending_active : 0;

    if (!metrics_current())
        return;
    if (!metrics_label_workloads()) {
        set(METRIC_PENDING, &owner, BASE(name, "active"), (double)active);
        set(METRIC_PENDING, &owner, BASE(name, "inadmissible"), (double)(status->pending - active));
        set(METRIC_ADMITTED, &owner, BASE(name), (double)status->admitted);
    }
    set(METRIC_RESERVING, &owner, BASE(name), (double)status->reserving);
    cluster_queue_state(name, &owner, status);
    if (metrics_current()->options.resources)
        cluster_queue_usage(name, &owner, status);
}

/* ---- groups of workloads ---- */

/* Cut 'text' (changed) into the values of a group. */
static void split_values(char *text, const char **values)
{
    size_t count = 0;

    for (char *end; text && count < METRICS_CUSTOM_MAX; text = end) {
        values[count++] = text;
        end = strchr(text, '\n');
        if (end)
            *end++ = '\0';
    }
}

void metrics_cluster_queue_groups(const char *name, const struct metrics_group *groups,
                                  size_t count)
{
    metrics_drop(METRIC_PENDING, BASE(name, NULL));
    metrics_drop(METRIC_ADMITTED, BASE(name));
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *labels = mem_dup(groups[i].labels);
        const char *values[METRICS_CUSTOM_MAX] = { 0 };
        const struct metrics_owner owner = { .cluster_queue = name, .workload = values };

        split_values(labels, values);
        if (groups[i].active + groups[i].inadmissible > 0) {
            set(METRIC_PENDING, &owner, BASE(name, "active"), (double)groups[i].active);
            set(METRIC_PENDING, &owner, BASE(name, "inadmissible"), (double)groups[i].inadmissible);
        }
        if (groups[i].admitted > 0)
            set(METRIC_ADMITTED, &owner, BASE(name), (double)groups[i].admitted);
    }
}

void metrics_local_queue_groups(const char *namespace, const char *name,
                                const struct metrics_group *groups, size_t count)
{
    metrics_drop(METRIC_LOCAL_QUEUE_ADMITTED, BASE(name, namespace));
    for (size_t i = 0; i < count && metrics_wants(namespace, name); i++) {
        AUTO_FREE char *labels = mem_dup(groups[i].labels);
        const char *values[METRICS_CUSTOM_MAX] = { 0 };
        const struct metrics_owner owner = { .namespace = namespace,
                                             .local_queue = name,
                                             .workload = values };

        split_values(labels, values);
        if (groups[i].admitted > 0)
            set(METRIC_LOCAL_QUEUE_ADMITTED, &owner, BASE(name, namespace),
                (double)groups[i].admitted);
    }
}

void metrics_cluster_queue_limits(const char *name, const char *flavor, const char *resource,
                                  int64_t borrowing, int64_t lending)
{
    const struct metrics_owner owner = { .cluster_queue = name };
    const char *cohort;

    if (!metrics_current())
        return;
    cohort = metrics_record(LABEL_FROM_CLUSTER_QUEUE, NULL, name)->parent;
    set(METRIC_BORROWING, &owner, BASE(cohort, name, flavor, resource),
        natural(resource, borrowing));
    set(METRIC_LENDING, &owner, BASE(cohort, name, flavor, resource), natural(resource, lending));
}

bool metrics_wants_demand(void)
{
    return metrics_current() && metrics_current()->items[METRIC_RESOURCE_PENDING];
}

bool metrics_wants_hashes(void)
{
    return metrics_current() && metrics_current()->items[METRIC_HASHES];
}

void metrics_cluster_queue_pending_resource(const char *name, const char *resource, int64_t amount)
{
    set(METRIC_RESOURCE_PENDING, &(struct metrics_owner){ .cluster_queue = name },
        BASE(name, resource), natural(resource, amount));
}

void metrics_cluster_queue_demand_forget(const char *name)
{
    metrics_drop(METRIC_RESOURCE_PENDING, BASE(name, NULL));
}

void metrics_cluster_queue_hashes(const char *name, int64_t active, int64_t inadmissible)
{
    const struct metrics_owner owner = { .cluster_queue = name };

    set(METRIC_HASHES, &owner, BASE(name, "active"), (double)active);
    set(METRIC_HASHES, &owner, BASE(name, "inadmissible"), (double)inadmissible);
}

void metrics_cluster_queue_finished(const char *name, int64_t count)
{
    set(METRIC_FINISHED, &(struct metrics_owner){ .cluster_queue = name }, BASE(name),
        (double)count);
}

/* ---- place in the tree ---- */

/* True when it hangs elsewhere than it did. What is new concerns nobody below it. */
static bool move(struct metrics_record *record, const char *parent, const char *root)
{
    char *old_parent = record->parent, *old_root = record->root;
    bool moved = !old_parent || strcmp(old_parent, parent) != 0 || strcmp(old_root, root) != 0;

    record->parent = mem_dup(parent);
    record->root = mem_dup(root);
    if (moved && *old_root)
        metrics_current()->has_moved = true;
    free(old_parent);
    free(old_root);
    return moved;
}

bool metrics_take_moved(void)
{
    bool moved = metrics_current() && metrics_current()->has_moved;

    if (moved)
        metrics_current()->has_moved = false;
    return moved;
}

void metrics_cluster_queue_place(const char *name, const char *parent, const char *root)
{
    if (!metrics_current())
        return;
    if (move(metrics_record(LABEL_FROM_CLUSTER_QUEUE, NULL, name), parent, root))
        metrics_drop(METRIC_INFO, BASE(name));
    set(METRIC_INFO, &(struct metrics_owner){ .cluster_queue = name }, BASE(name, parent, root), 1);
}

void metrics_cohort_place(const char *name, const char *parent, const char *root)
{
    if (!metrics_current())
        return;
    if (move(metrics_record(LABEL_FROM_COHORT, NULL, name), parent, root))
        metrics_drop(METRIC_COHORT_INFO, BASE(name));
    set(METRIC_COHORT_INFO, &(struct metrics_owner){ .cohort = name }, BASE(name, parent, root), 1);
}

void metrics_cohort_unplace(const char *name)
{
    if (!metrics_current())
        return;
    move(metrics_record(LABEL_FROM_COHORT, NULL, name), "", "");
    metrics_drop(METRIC_COHORT_INFO, BASE(name));
}

/* ---- LocalQueue ---- */

static void local_queue_usage(const char *namespace, const char *name,
                              const struct metrics_owner *owner, const struct queue_status *status)
{
    struct metrics_record *record = metrics_record(LABEL_FROM_LOCAL_QUEUE, namespace, name);

    if (usage_changed(record, status)) {
        metrics_drop(METRIC_LOCAL_QUEUE_RESERVATION, BASE(name, namespace));
        metrics_drop(METRIC_LOCAL_QUEUE_USAGE, BASE(name, namespace));
    }
    for (size_t i = 0; i < status->usage_count; i++) {
        const struct flavor_resource_usage *usage = &status->usage[i];
        const char *const *base = BASE(name, namespace, usage->flavor, usage->resource);

        set(METRIC_LOCAL_QUEUE_RESERVATION, owner, base, natural(usage->resource, usage->total));
        set(METRIC_LOCAL_QUEUE_USAGE, owner, base, natural(usage->resource, usage->admitted));
    }
}

void metrics_local_queue_status(const char *namespace, const char *name,
                                const struct queue_status *status, bool has_cluster_queue)
{
    static const enum metrics_id held[] = { METRIC_LOCAL_QUEUE_RESERVING,
                                            METRIC_LOCAL_QUEUE_ADMITTED,
                                            METRIC_LOCAL_QUEUE_RESERVATION,
                                            METRIC_LOCAL_QUEUE_USAGE };
    const struct metrics_owner owner = { .namespace = namespace, .local_queue = name };
    struct metrics_record *record;

    if (!metrics_wants(namespace, name))
        return;
    set(METRIC_LOCAL_QUEUE_PENDING, &owner, BASE(name, namespace, "active"),
        (double)status->pending_active);
    set(METRIC_LOCAL_QUEUE_PENDING, &owner, BASE(name, namespace, "inadmissible"),
        (double)(status->pending - status->pending_active));
    record = metrics_record(LABEL_FROM_LOCAL_QUEUE, namespace, name);
    for (size_t i = 0; record->shows_held && !has_cluster_queue && i < ARRAY_COUNT(held); i++)
        metrics_drop(held[i], BASE(name, namespace));
    record->shows_held = has_cluster_queue;
    if (!has_cluster_queue)
        return;
    set(METRIC_LOCAL_QUEUE_RESERVING, &owner, BASE(name, namespace), (double)status->reserving);
    if (!metrics_label_workloads())
        set(METRIC_LOCAL_QUEUE_ADMITTED, &owner, BASE(name, namespace), (double)status->admitted);
    local_queue_usage(namespace, name, &owner, status);
}

void metrics_local_queue_active(const char *namespace, const char *name, const char *condition)
{
    static const char *const states[] = { "True", "False", "Unknown" };
    const struct metrics_owner owner = { .namespace = namespace, .local_queue = name };

    if (!metrics_wants(namespace, name))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(states); i++)
        set(METRIC_LOCAL_QUEUE_STATUS, &owner, BASE(name, namespace, states[i]),
            strcmp(states[i], condition) == 0);
}

void metrics_local_queue_finished(const char *namespace, const char *name, int64_t count)
{
    if (metrics_wants(namespace, name))
        set(METRIC_LOCAL_QUEUE_FINISHED,
            &(struct metrics_owner){ .namespace = namespace, .local_queue = name },
            BASE(name, namespace), (double)count);
}

void metrics_local_queue_fair_usage(const char *namespace, const char *name,
                                    const char *cluster_queue, double usage)
{
    struct metrics_record *record;

    if (!metrics_wants(namespace, name))
        return;
    record = metrics_record(LABEL_FROM_LOCAL_QUEUE, namespace, name);
    if (strcmp(record->parent, cluster_queue) != 0) {
        metrics_drop(METRIC_LOCAL_QUEUE_FAIR_USAGE, BASE(name, namespace));
        free(record->parent);
        record->parent = mem_dup(cluster_queue);
    }
    set(METRIC_LOCAL_QUEUE_FAIR_USAGE,
        &(struct metrics_owner){ .namespace = namespace, .local_queue = name },
        BASE(name, namespace, cluster_queue), usage);
}

/* ---- Cohort ---- */

/* Nothing is shown for an amount that is not positive. */
static void set_or_drop(enum metrics_id id, const struct metrics_owner *owner,
                        const char *const *base, double value)
{
    if (value > 0)
        set(id, owner, base, value);
    else
        metrics_emit(id, VERB_REMOVE, owner, base, 0);
}

void metrics_cohort_status(const char *name, const struct queue_status *status)
{
    const struct metrics_owner owner = { .cohort = name };

    if (!metrics_current())
        return;
    if (usage_changed(metrics_record(LABEL_FROM_COHORT, NULL, name), status)) {
        metrics_drop(METRIC_COHORT_QUOTA, BASE(name));
        metrics_drop(METRIC_COHORT_RESERVATIONS, BASE(name));
    }
    for (size_t i = 0; i < status->usage_count; i++) {
        const struct flavor_resource_usage *usage = &status->usage[i];
        const char *const *base = BASE(name, usage->flavor, usage->resource);

        set_or_drop(METRIC_COHORT_QUOTA, &owner, base, natural(usage->resource, usage->nominal));
        set_or_drop(METRIC_COHORT_RESERVATIONS, &owner, base,
                    natural(usage->resource, usage->reserved_below));
    }
    set(METRIC_COHORT_ADMITTED, &owner, BASE(name), (double)status->admitted);
}

void metrics_cohort_share(const char *name, double share)
{
    set(METRIC_COHORT_SHARE, &(struct metrics_owner){ .cohort = name }, BASE(name), share);
}

/* ---- why workloads wait ---- */

void metrics_cluster_queue_unadmitted(const char *name, const char *reason, const char *cause,
                                      int64_t count)
{
    set_or_drop(METRIC_UNADMITTED, &(struct metrics_owner){ .cluster_queue = name },
                BASE(name, reason, cause), (double)count);
}

void metrics_local_queue_unadmitted(const char *namespace, const char *name,
                                    const char *cluster_queue, const char *reason,
                                    const char *cause, int64_t count)
{
    if (metrics_wants(namespace, name))
        set_or_drop(METRIC_LOCAL_QUEUE_UNADMITTED,
                    &(struct metrics_owner){ .namespace = namespace, .local_queue = name },
                    BASE(name, namespace, cluster_queue, reason, cause), (double)count);
}
