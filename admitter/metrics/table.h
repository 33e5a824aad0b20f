/* table.h - the names, types, labels and buckets of what metrics.c counts. Private to it.
 * Rules: spec/operations.md 1.1 to 1.6. */
#pragma once

#include "quota/base/metric.h"

#define METRICS_LABELS_MAX 5 /* of one metric, without replica_role and custom ones */

enum metrics_id {
    METRIC_ATTEMPTS,
    METRIC_ATTEMPT_DURATION,
    METRIC_PREEMPTION_SKIPS,
    METRIC_RECOMPUTATIONS,
    METRIC_PENDING,
    METRIC_HASHES,
    METRIC_LOCAL_QUEUE_PENDING,
    METRIC_RESOURCE_PENDING,
    METRIC_FINISHED,
    METRIC_LOCAL_QUEUE_FINISHED,
    METRIC_UNADMITTED,
    METRIC_LOCAL_QUEUE_UNADMITTED,
    METRIC_RESERVED_TOTAL,
    METRIC_RESERVED_WAIT,
    METRIC_LOCAL_QUEUE_RESERVED_TOTAL,
    METRIC_LOCAL_QUEUE_RESERVED_WAIT,
    METRIC_ADMITTED_TOTAL,
    METRIC_ADMISSION_WAIT,
    METRIC_LOCAL_QUEUE_ADMITTED_TOTAL,
    METRIC_LOCAL_QUEUE_ADMISSION_WAIT,
    METRIC_CHECKS_WAIT,
    METRIC_LOCAL_QUEUE_CHECKS_WAIT,
    METRIC_COHORT_ADMITTED_TOTAL,
    METRIC_READY_WAIT,
    METRIC_ADMITTED_UNTIL_READY,
    METRIC_LOCAL_QUEUE_READY_WAIT,
    METRIC_LOCAL_QUEUE_ADMITTED_UNTIL_READY,
    METRIC_CREATION_LATENCY,
    METRIC_GATE_REMOVAL,
    METRIC_DISPATCHED,
    METRIC_REMOTE_ADMITTED,
    METRIC_FINISHED_TOTAL,
    METRIC_LOCAL_QUEUE_FINISHED_TOTAL,
    METRIC_EXECUTION,
    METRIC_LOCAL_QUEUE_EXECUTION,
    METRIC_EVICTED_TOTAL,
    METRIC_LOCAL_QUEUE_EVICTED_TOTAL,
    METRIC_EVICTED_ONCE,
    METRIC_READY_TO_EVICTED,
    METRIC_EVICTION_LATENCY,
    METRIC_PREEMPTED_TOTAL,
    METRIC_RESERVING,
    METRIC_ADMITTED,
    METRIC_LOCAL_QUEUE_RESERVING,
    METRIC_LOCAL_QUEUE_ADMITTED,
    METRIC_STATUS,
    METRIC_LOCAL_QUEUE_STATUS,
    METRIC_RESERVATION,
    METRIC_USAGE,
    METRIC_NOMINAL,
    METRIC_BORROWING,
    METRIC_LENDING,
    METRIC_SHARE,
    METRIC_LOCAL_QUEUE_RESERVATION,
    METRIC_LOCAL_QUEUE_USAGE,
    METRIC_LOCAL_QUEUE_FAIR_USAGE,
    METRIC_COHORT_SHARE,
    METRIC_COHORT_QUOTA,
    METRIC_COHORT_RESERVATIONS,
    METRIC_COHORT_ADMITTED,
    METRIC_COHORT_INFO,
    METRIC_INFO,
    METRICS_COUNT
};

enum metrics_when { /* which option registers it */
                    WHEN_ALWAYS,
                    WHEN_LOCAL,
                    WHEN_LOCAL_UNADMITTED,
                    WHEN_RESOURCES,
                    WHEN_COHORTS,
                    WHEN_CREATION,
                    WHEN_UNADMITTED,
                    WHEN_HASHES
};

/* Objects whose custom labels follow the others: bits by enum label_source_kind. */
enum { CUSTOM_CLUSTER_QUEUE = 1, CUSTOM_COHORT = 2, CUSTOM_LOCAL_QUEUE = 4, CUSTOM_WORKLOAD = 8 };

struct metrics_buckets {
    const double *bounds;
    size_t count;
};
struct metrics_row {
    const char *name;
    enum metric_type type;
    const struct metrics_buckets *buckets; /* NULL: no histogram */
    const char *labels[METRICS_LABELS_MAX];
    unsigned custom;
    enum metrics_when when;
    const char *help;
};
extern const struct metrics_row metrics_table[METRICS_COUNT];
/* How many labels a row declares. */
size_t metrics_base_count(const struct metrics_row *row);
