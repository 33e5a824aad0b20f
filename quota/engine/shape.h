/* shape.h - identical pod sets are stored once.
 *
 * A shape is everything a pod set says except how many pods it has, together with what follows from
 * it in its surroundings (LimitRanges, RuntimeClass, DRA table, configuration): the adjusted
 * template, the amounts of one pod, and whether validation has anything to say. Ten thousand
 * workloads from one Job template share one shape; each then holds a pointer and a count.
 * Reference counted; owned by the engine thread. Rules: spec/scheduling.md 1.2 - 1.4, 3.9. */
#pragma once

#include "quota/base/intern.h"
#include "quota/engine/requests.h"

struct shape {
    uint32_t id; /* 1..; reused after the last reference is gone */
    uint32_t references;
    uint64_t equivalence;      /* equal for two shapes alive together iff 3.9 calls them equivalent;
                                   never used again for another shape */
    bool exceeds_limits;       /* 4.2 row 7 has something to say */
    bool violates_limit_range; /* 4.2 row 8 has something to say */
    const struct pod_set *pod_set;       /* as declared; count is 0, the workload holds it */
    const struct pod_template *adjusted; /* 1.2; may be &pod_set->pod */
    struct amounts requests;             /* one pod (1.4) */
    uint32_t *resources;                 /* of the rows of 'requests', by shape_store_resources */
};

/* What a pod set is looked at with. All borrowed for the call. */
struct shape_surroundings {
    const struct limit_summary *limits;        /* of its namespace, or NULL */
    const struct runtime_class *runtime_class; /* the one the template names, or NULL */
    const struct device_requests *devices;     /* or NULL */
    const char *allowed_flavors; /* the annotation, when gate ConcurrentAdmission is on; or NULL */
};

struct shape_store;
struct shape_store *shape_store_create(const struct engine_options *options); /* options borrowed */
void shape_store_destroy(struct shape_store *store);                          /* NULL is fine */
/* The numbers of resource names, for others to number theirs by. The store's. */
struct intern *shape_store_resources(struct shape_store *store);

/* The shape of a pod set in these surroundings, with one reference for the caller. The pod set and
 * its surroundings are copied when the shape is new. */
struct shape *shape_intern(struct shape_store *store, const struct pod_set *pod_set,
                           const struct shape_surroundings *surroundings);
void shape_unref(struct shape_store *store, struct shape *shape); /* NULL is fine */

size_t shape_store_count(const struct shape_store *store);
size_t shape_store_bytes(const struct shape_store *store); /* memory held, for the benches */

/* The equivalence hash of a workload (3.9) from its shapes. */
struct shape_count {
    uint64_t equivalence;
    int32_t count; /* effective, after reclaimable pods */
};
/* A number that differs for workloads that are not equivalent, but for chance (64 bits, keyed by
 * the whole tuple). Never 0: that stands for "unknown" (gate SchedulingEquivalenceHashing off). */
uint64_t equivalence_hash(int64_t priority, const struct shape_count *shapes, size_t count);
