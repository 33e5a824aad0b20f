/* metrics_private.h - what the files of the metrics share. */
#pragma once

#include <stdatomic.h>
#include "admitter/metrics/metrics.h"
#include "admitter/metrics/table.h"
#include "quota/base/map.h"

/* What is remembered of a ClusterQueue, Cohort or LocalQueue. */
struct metrics_record {
    bool is_reported; /* LocalQueue: the selector wants it */
    char *custom[METRICS_CUSTOM_MAX];
    char *parent, *root;  /* place in the tree, "" for none; a LocalQueue's ClusterQueue */
    uint64_t usage_print; /* hash of the flavors and resources last written, 0: none yet */
    bool shows_held;      /* LocalQueue: there are series of what its workloads hold */
};

struct metrics {
    struct metrics_options options;
    struct metric_registry *registry;
    struct metric *items[METRICS_COUNT]; /* NULL: switched off */
    struct metric *write_failures, *leader;
    struct map *records[LABEL_FROM_WORKLOAD]; /* by kind, of struct metrics_record */
    size_t custom_count[LABEL_FROM_WORKLOAD + 1];
    bool has_moved; /* see metrics_take_moved */
    _Atomic(const char *) role;
};

/* The set in use; NULL before metrics_start. */
struct metrics *metrics_current(void);

/* Whose custom labels an observation carries; NULL for what does not apply. */
struct metrics_owner {
    const char *cluster_queue, *cohort, *namespace, *local_queue;
    const char *const *workload;
};
enum metrics_verb { VERB_ADD, VERB_SET, VERB_OBSERVE, VERB_REMOVE };
/* 'base': one text per label of the table. */
void metrics_emit(enum metrics_id id, enum metrics_verb verb, const struct metrics_owner *owner,
                  const char *const *base, double value);
/* Remove by base labels, NULL for any value. Walks over all series: for what is rare. */
void metrics_drop(enum metrics_id id, const char *const *base);
#define BASE(...) ((const char *const[METRICS_LABELS_MAX]){ __VA_ARGS__ })

/* Made when there is none. */
struct metrics_record *metrics_record(enum label_source_kind kind, const char *namespace,
                                      const char *name);
void metrics_forget(enum label_source_kind kind, const char *namespace, const char *name);
/* Does anybody want series of this LocalQueue? */
bool metrics_wants(const char *namespace, const char *local_queue);
