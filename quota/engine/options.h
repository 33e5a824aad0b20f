/* options.h - what the configuration decides about the engine: gates, fair sharing, resources.
 *
 * Copied by engine_create; immutable afterwards. Defaults: spec/scheduling.md 7, spec/config.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/engine/model.h"

struct resource_transformation {
    const char *input;
    bool replace;                 /* strategy Replace; default Retain */
    const char *multiply_by;      /* NULL: absent */
    struct resource_list outputs; /* factor per output resource */
};

/* What is charged instead of devices: a counter, or a capacity, of those of the driver that the
 * expression selects. */
struct device_measure {
    const char *name, *driver, *selector;
};
/* One entry of deviceClassMappings: devices of these classes are charged to 'resource'. */
struct device_mapping {
    const char *resource;
    const char **classes;
    size_t class_count;
    struct device_measure *measures; /* empty: devices are counted */
    size_t measure_count;
    bool by_capacity; /* the measures are capacities, else counters */
};

enum fair_strategy {
    FAIR_FINAL_SHARE,
    FAIR_INITIAL_SHARE
}; /* LessThanOrEqualToFinalShare, LessThanInitialShare */

struct engine_gates { /* spec/scheduling.md 7; true = on */
    bool partial_admission, flavor_fungibility, preserve_scan_progress,
        priority_sorting_within_cohort;
    bool fair_sharing_preempt_within_nominal, fair_sharing_prioritize_non_borrowing;
    bool prioritize_preemptor_workloads, recompute_on_overlap, equivalence_hashing;
    bool admission_fair_sharing, reclaimable_pods, quota_check_strategy, priority_boost;
    bool admission_gated_by, unadmitted_observability, unadmitted_explicit_status;
    bool elastic_slices, concurrent_admission, orchestrated_preemption, topology_aware;
    bool tas_recompute, tas_failed_node_replacement, tas_failed_node_fail_fast;
    bool dra_integration, dra_extended_resources;
    bool dra_reject_when_off; /* without dra_integration, whoever refers to claims waits */
};

struct engine_options {
    struct engine_gates gates;
    bool fair_sharing;
    enum fair_strategy fair_strategies[2];
    unsigned fair_strategy_count;                     /* 0: both, in order */
    bool admission_fair_sharing;                      /* configuration object present */
    int64_t usage_half_life, usage_sampling_interval; /* nanoseconds */
    struct {
        const char *resource;
        struct quantity weight;
    } * resource_weights;
    size_t resource_weight_count;
    const char **exclude_prefixes;
    size_t exclude_prefix_count;
    struct resource_transformation *transformations;
    size_t transformation_count;
    struct device_mapping *device_mappings; /* the first one that lists a class counts */
    size_t device_mapping_count;
    bool wait_for_pods_ready, block_admission;
    bool requeue_by_creation; /* requeuingStrategy.timestamp: Creation */
    int64_t requeue_batch;    /* un-park delay after an event, default 1 s (process.md --tuning) */
    bool hold_batches;        /* simulate --cycles: nothing delayed becomes due */
};

/* The defaults of the spec. */
void engine_options_default(struct engine_options *options);
