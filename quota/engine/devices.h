/* devices.h - what the devices that pods claim cost, in resources of the quota.
 *
 * Pods get devices in two ways: their template names ResourceClaimTemplates, whose requests name
 * DeviceClasses, or it requests a resource that a DeviceClass stands for. deviceClassMappings say
 * which resource of the quota each class is charged to. What cannot be charged is refused, with all
 * reasons at once. Private to the engine; engine thread. Rules: spec/scheduling.md 1.10,
 * spec/lifecycle.md 14. */
#pragma once

#include "quota/engine/engine_private.h"

/* One workload while its pod sets are read, in order. */
struct device_reading {
    const struct engine *engine;
    const char *namespace;
    struct arena *arena;      /* holds all answers */
    bool refers, names_claim; /* some pod set so far has claims; ... names a ResourceClaim */
    struct device_problem *first;
    const struct device **taken; /* selected by requests of this pod set so far */
    size_t taken_count;
};

void device_reading_begin(struct device_reading *reading, const struct engine *engine,
                          const char *namespace, struct arena *arena);
/* What one pod of the next pod set is charged for devices; NULL: it has none. 'index' is for
 * messages; 'limits' and 'runtime_class' as in shape_surroundings. */
const struct device_requests *device_reading_pod_set(struct device_reading *reading, size_t index,
                                                     const struct pod_set *pod_set,
                                                     const struct limit_summary *limits,
                                                     const struct runtime_class *runtime_class);
/* Why the workload cannot be charged, for its condition; NULL: it can. */
const char *device_reading_refusal(const struct device_reading *reading);

/* What Requeued=False says beside a refusal. */
const char *device_refusal_of_requeue(const char *refusal);
