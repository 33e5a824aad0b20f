/* facts.h - manifests as the facts that the engine takes.
 *
 * Objects are decoded by admitter/objects, Jobs become Workloads by admitter/jobs; what the API
 * server would add (names, times, uids, namespaces) is added here. Rules: spec/simulate.md "Input".
 * One thread. Everything lives in the facts' arena. */
#pragma once

#include "admitter/rules/settings.h"
#include "admitter/simulate/documents.h"
#include "quota/engine/model.h"

#define ANNOTATION_SIMULATED_DURATION "sluice.dev/simulated-duration"

struct priority_class;

struct simulate_workload_fact {
    struct workload workload;
    int64_t duration; /* nanoseconds once admitted; -1: for ever */
};

/* A growing array; 'items' is heap memory of 'count' structs. */
#define FACT_LIST(type)                                                                            \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

struct simulate_facts {
    struct arena arena;
    FACT_LIST(struct resource_flavor) flavors;
    FACT_LIST(struct topology) topologies;
    FACT_LIST(struct admission_check) checks;
    FACT_LIST(struct cohort) cohorts;
    FACT_LIST(struct cluster_queue) cluster_queues;
    FACT_LIST(struct local_queue) local_queues;
    FACT_LIST(struct namespace_labels) namespaces;
    FACT_LIST(struct limit_range) limit_ranges;
    FACT_LIST(struct runtime_class) runtime_classes;
    FACT_LIST(struct device_class) device_classes;
    FACT_LIST(struct claim_template) claim_templates;
    FACT_LIST(struct device_slice) device_slices;
    FACT_LIST(struct priority_class) workload_priority_classes;
    FACT_LIST(struct priority_class) priority_classes;
    FACT_LIST(struct simulate_workload_fact) workloads; /* in input order */
    FACT_LIST(const char *) warnings;                   /* one line each */
    int64_t start;                                      /* the clock's start */
};

/* Fill *facts. 'start' is TIME_NONE when the input decides; 'default_duration' -1: none.
 * ERR_INVALID says which file, document, line and field. */
MUST_USE int simulate_facts_read(struct simulate_facts *facts,
                                 const struct simulate_documents *documents,
                                 const struct loop_settings *settings, int64_t start,
                                 int64_t default_duration, struct err *e);
void simulate_facts_finish(struct simulate_facts *facts);
