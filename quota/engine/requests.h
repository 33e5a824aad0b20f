/* requests.h - from pod templates to amounts: what one pod of a pod set costs, and what all cost.
 *
 * Pure; engine thread. Rules: spec/scheduling.md 1.2 - 1.5, 1.9 - 1.11, 1.13, 0.3. The steps are
 *   limits_merge   the LimitRanges of a namespace become one summary
 *   pod_adjust     a template becomes the private copy that is charged (RuntimeClass, defaults)
 *   pod_requests   the copy becomes int64 amounts for one pod (exclusion, transformation, DRA)
 *   amounts_scale  one pod's amounts become the pod set's
 * and, for workloads that hold a reservation, reserved_view reads the stored admission back.
 * Everything made here lives in the arena given; names are borrowed from the inputs, so the inputs
 * (template, DRA table, options) must live as long as the result does. */
#pragma once

#include "quota/base/arena.h"
#include "quota/engine/model.h"
#include "quota/engine/options.h"

/* One row of a pod or pod set: cpu in milli-cores, everything else in whole units. */
struct resource_amount {
    const char *resource;
    const char *flavor; /* reserved view only: the assigned flavor, NULL when unassigned */
    int64_t amount;
};

/* Rows in the order of resource_order. */
struct amounts {
    struct resource_amount *items;
    size_t count;
};

/* The order in which resources are looked at (0.3): FNV-1a 64 of the name, ties by name. */
uint64_t resource_hash(const char *resource);
int resource_order(const char *a, const char *b); /* <0, 0, >0 */

/* ---- adjustment (1.2) ---- */

/* All LimitRanges of one namespace, merged per type: max and maxLimitRequestRatio keep the smallest
 * value per resource, min the largest, defaults and default requests the first one seen. */
struct limit_summary {
    bool has_container, has_pod;
    struct limit_range_item container, pod;
};
/* 'ranges' in order of name, so that "first seen" is the same on every run. */
void limits_merge(const struct limit_range *const *ranges, size_t count, struct arena *a,
                  struct limit_summary *summary);

/* The private copy of a template in the order of 1.2. 'limits' is NULL (or empty) without
 * LimitRanges, 'runtime_class' NULL when the named class does not exist or none is named.
 * Returns 'pod' itself when nothing had to change. */
const struct pod_template *pod_adjust(const struct pod_template *pod,
                                      const struct limit_summary *limits,
                                      const struct runtime_class *runtime_class, struct arena *a);

/* ---- one pod (1.3, 1.4) ---- */

/* Exact sum of one pod in order of first mention (1.3), before exclusion and transformation. */
struct resource_list pod_total(const struct pod_template *pod, struct arena *a);

/* What one pod of an adjusted template costs. Amounts are never negative; rounding is up, per pod.
 * 'options' gives excludeResourcePrefixes and transformations; products are exact. */
struct amounts pod_requests(const struct pod_template *pod, const struct engine_options *options,
                            const struct device_requests *devices, struct arena *a);

/* ---- pod sets (1.5, 1.9) ---- */

/* spec.count less reclaimable pods; spec.count with gate ReclaimablePods off. */
int32_t effective_count(const struct workload *workload, const struct pod_set *pod_set,
                        const struct engine_gates *gates);

/* Amount of one pod times pods; saturating. 'pods' below 0 counts as 0. */
int64_t amount_scale(int64_t per_pod, int32_t pods);
/* A total for 'count' pods, as a total for 'pods' of them: divided first, as 1.9 and 4.7 have it. A
 * count of 0 leaves the total undivided (0.1). */
int64_t amount_rescale(int64_t total, int32_t count, int32_t pods);
/* A copy of 'per_pod' with every amount scaled. */
struct amounts amounts_scale(struct amounts per_pod, int32_t pods, struct arena *a);
/* The amount of a resource; 0 when there is no row. */
int64_t amounts_get(struct amounts amounts, const char *resource);
/* Add a row or to a row; keeps the order. Grows in the arena. */
void amounts_add(struct amounts *amounts, const char *resource, int64_t amount, struct arena *a);

/* Totals of one pod set as a workload is charged. */
struct pod_set_amounts {
    const char *name;
    int32_t count;          /* pods charged */
    struct amounts amounts; /* totals; rows of the reserved view name their flavor */
};

/* The reserved view (1.9): one entry per pod set assignment of workload->admission, in its order.
 * Amounts are usage / count x remaining when pods were reclaimed. An assignment whose pod set is
 * not in the spec keeps its stored count. */
struct pod_set_amounts *reserved_view(const struct workload *workload,
                                      const struct engine_gates *gates, struct arena *a,
                                      size_t *count);

/* An amount as the quantity that the API shows (resourceUsage, resourceRequests: 1.13, 0.2). */
struct quantity amount_quantity(const char *resource, int64_t amount);

/* Effective priority (1.11): spec.priority plus the boost annotation with gate PriorityBoost on. */
int64_t effective_priority(const struct workload *workload, const struct engine_gates *gates);
